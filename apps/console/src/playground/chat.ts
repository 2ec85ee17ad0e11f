import { serverEvents } from '../sse.ts';
import { type Answer, begun, type ChatChunk, type ChatError, ended, isRunning, withChunk } from './answer.ts';

interface Call {
  apiKey: string;
  model: string;
  body: object;
  signal: AbortSignal;
  /** Is told of the answer whenever there is more of it. */
  onAnswer(answer: Answer): void;
}

/** Streams one answer. Never rejects: what goes wrong stands in the answer. */
export async function chat({ apiKey, model, body, signal, onAnswer }: Call): Promise<void> {
  let answer = begun(model, performance.now());
  const set = (next: Answer) => {
    answer = next;
    onAnswer(answer);
  };
  set(answer);
  try {
    const response = await fetch('/v1/chat/completions', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        'x-gateway-agent': 'playground',
      },
      body: JSON.stringify(body),
      signal,
    });
    if (!response.ok || !response.body) {
      set(ended(answer, 'failed', performance.now(), await refusalOf(response)));
      return;
    }
    for await (const { data } of serverEvents(response.body)) {
      if (data === '[DONE]') set(ended(answer, 'done', performance.now()));
      else set(withChunk(answer, JSON.parse(data) as ChatChunk, performance.now()));
      if (!isRunning(answer)) return;
    }
    const message = 'The answer broke off: the connection ended before the answer did.';
    set(ended(answer, 'failed', performance.now(), { message, code: 'truncated' }));
  } catch (error) {
    if (signal.aborted) set(ended(answer, 'stopped', performance.now()));
    else {
      const why = error instanceof Error ? error.message : String(error);
      const message = `The gateway cannot be reached: ${why}`;
      set(ended(answer, 'failed', performance.now(), { message }));
    }
  }
}

async function refusalOf(response: Response): Promise<ChatError> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error?: ChatError };
    if (error?.message) return error;
  } catch {
    // Something in front of the gateway has answered.
  }
  return { message: `${response.status} ${response.statusText}: ${text.slice(0, 300)}` };
}
