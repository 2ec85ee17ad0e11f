import type { LLMResponse } from '@x/avionics';

/** The line below an answer: who answered, tokens in + out, speed, first token, cost. */
export function statusLine(response: LLMResponse): string {
  const { timings, usage, finishReason, priced } = response.metadata;
  const parts = [response.provider, response.model];
  const cached = usage.cachedTokens ? ` (${usage.cachedTokens} cached)` : '';
  parts.push(`${response.promptTokens}${cached} + ${response.completionTokens} tokens`);
  const speed = timings.tokensPerSecond ?? perSecond(response.completionTokens, timings);
  if (speed !== undefined) parts.push(`${Math.round(speed)} tok/s`);
  if (timings.firstTokenMs !== undefined) parts.push(`first token ${Math.round(timings.firstTokenMs)} ms`);
  parts.push(priced ? `$${response.costUsd.toFixed(6)}` : 'price unknown');
  if (finishReason === 'length') parts.push('cut: the token limit (--max-tokens) or the context is reached');
  else if (finishReason !== 'stop') parts.push(finishReason);
  return parts.join(' · ');
}

/** Measured here, where the backend gives no rate: tokens after the first over the time they took. */
function perSecond(tokens: number, timings: { firstTokenMs?: number; totalMs: number }): number | undefined {
  if (timings.firstTokenMs === undefined || tokens < 2) return undefined;
  const ms = timings.totalMs - timings.firstTokenMs;
  return ms > 0 ? ((tokens - 1) * 1000) / ms : undefined;
}
