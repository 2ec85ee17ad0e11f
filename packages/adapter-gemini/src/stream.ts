import { AirframeError, type FinishReason, type Reply, type StreamReader } from '@x/airframe';
import { errorIn, inBandError } from './errors.ts';
import { encodeSignature, type Signature } from './signatures.ts';
import type { WireCandidate, WirePart, WireResponse, WireUsage } from './wire.ts';

/** Reasons that end a reply as one can end. With tool calls it is `STOP` as well: `Reply` tells them apart. */
const FINISH_REASONS: Record<string, FinishReason> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  LANGUAGE: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  IMAGE_RECITATION: 'content_filter',
};

/** All others say that the reply failed; for these the model's own slip is to blame, and it may not slip again. */
const SLIPS: ReadonlySet<string> = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'MALFORMED_RESPONSE',
]);

/** Reads one answer, in a stream or whole, into a reply. */
export function createReader(reply: Reply): StreamReader {
  return new ResponseReader(reply);
}

class ResponseReader implements StreamReader {
  readonly #reply: Reply;
  /** Characters of text and number of tool calls so far: the place of what is signed. */
  #chars = 0;
  #calls = 0;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  /** Never true: no event says that it is the last, and usage may follow the finish reason. */
  event(data: string): boolean {
    let json: unknown;
    try {
      json = JSON.parse(data);
    } catch (cause) {
      const problem = `the Gemini API sent an event that is not JSON: ${data.slice(0, 100)}`;
      throw new AirframeError('parse', problem, { raw: data, cause });
    }
    this.body(json);
    return false;
  }

  /** An event of a stream is an answer in small, and read alike. */
  body(json: unknown): void {
    const error = errorIn(json);
    if (error) throw inBandError(error);
    if (typeof json !== 'object' || json === null) {
      throw new AirframeError('parse', `the Gemini API sent ${JSON.stringify(json)} where an object belongs`);
    }
    const { candidates, promptFeedback, usageMetadata, modelVersion, responseId }: WireResponse = json;
    const candidate = candidates?.find(({ index = 0 }) => index === 0);
    this.#reply.identify({ responseId, model: modelVersion });
    const blocked = promptFeedback?.blockReason;
    this.#count(usageMetadata, Boolean(candidate?.finishReason || blocked));
    for (const part of candidate?.content?.parts ?? []) this.#part(part);
    if (candidate?.finishReason) this.#finish(candidate.finishReason, candidate);
    if (blocked) {
      const problem = `the Gemini API blocked the prompt: ${blocked}`;
      throw new AirframeError('content_filter', problem, { code: blocked, remedy: 'rephrase it' });
    }
  }

  /** Parts of other kinds (code that the API runs itself, images) have no place in a reply. */
  #part({ text, thought, thoughtSignature, functionCall }: WirePart): void {
    if (functionCall) {
      const { id, name, args } = functionCall;
      const signature = this.#signature('call', thoughtSignature);
      const input = JSON.stringify(args ?? {});
      this.#reply.toolCall({ index: this.#calls++, id, name, arguments: input, signature });
    } else if (thought) {
      this.#reply.reasoning(text ?? '', this.#signature('thought', thoughtSignature));
    } else if (typeof text === 'string') {
      const signature = this.#signature('text', thoughtSignature, text.length);
      this.#chars += text.length;
      this.#reply.text(text);
      this.#reply.reasoning('', signature);
    }
  }

  #signature(kind: Signature['kind'], value: string | null | undefined, length = 0): string | undefined {
    return value
      ? encodeSignature({ kind, value, chars: this.#chars, length, calls: this.#calls })
      : undefined;
  }

  /** @param last a count that is missing now is zero, and not yet to come */
  #count(usage: WireUsage | null | undefined, last: boolean): void {
    if (!usage) return;
    const { candidatesTokenCount, thoughtsTokenCount: reasoningTokens } = usage;
    const {
      promptTokenCount = 0,
      toolUsePromptTokenCount = 0,
      cachedContentTokenCount: cachedTokens,
    } = usage;
    const counted = last || candidatesTokenCount !== undefined || reasoningTokens !== undefined;
    this.#reply.usage({
      promptTokens: promptTokenCount + toolUsePromptTokenCount,
      ...(counted ? { completionTokens: (candidatesTokenCount ?? 0) + (reasoningTokens ?? 0) } : {}),
      ...(cachedTokens === undefined ? {} : { cachedTokens }),
      ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
    });
  }

  #finish(reason: string, { finishMessage }: WireCandidate): void {
    const known = FINISH_REASONS[reason];
    if (known) {
      this.#reply.finish(known);
      return;
    }
    const problem = `the Gemini API gave up the reply: ${reason}${finishMessage ? `, ${finishMessage}` : ''}`;
    throw new AirframeError('backend', problem, { code: reason, retryable: SLIPS.has(reason) });
  }
}
