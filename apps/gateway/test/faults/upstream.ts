// Upstreams that answer in part, wrongly, late or never, in OpenAI's Chat Completions or Completions as they are asked.
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Script, SeenRequest } from '../../../../test/scripted-server.ts';

const FRAME = { id: 'cmpl-up', created: 1, model: 'up-model' };

/** One answer of an upstream, written piece by piece. */
export class Upstream {
  readonly response: ServerResponse;
  readonly seen: SeenRequest;
  readonly #isChat: boolean;

  constructor(response: ServerResponse, seen: SeenRequest) {
    this.response = response;
    this.seen = seen;
    this.#isChat = seen.path.endsWith('/chat/completions');
  }

  say(text: string): this {
    return this.#choice(this.#isChat ? { delta: { content: text } } : { text });
  }

  /** Says it, and waits until the system has it: what a reset throws away is not on its way any more. */
  async said(text: string): Promise<this> {
    this.say(text);
    await sleep(20);
    return this;
  }

  /** A piece of thinking, of which not every protocol tells its clients. */
  think(text: string): this {
    return this.#choice({ delta: { reasoning_content: text } });
  }

  /** A piece of tool calls, as it stands in `delta.tool_calls`. */
  calls(...pieces: object[]): this {
    return this.#choice({ delta: { tool_calls: pieces } });
  }

  finish(reason = 'stop'): this {
    return this.#choice(this.#isChat ? { delta: {} } : { text: '' }, reason);
  }

  usage(prompt: number, completion: number): this {
    const usage = { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
    return this.event({ ...FRAME, choices: [], usage });
  }

  /** An event with this data; objects are sent as JSON. */
  event(data: object | string): this {
    if (!this.response.headersSent) this.response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    return this;
  }

  error(message: string, code = 'server_error'): this {
    return this.event({ error: { message, type: code, code } });
  }

  done(): this {
    this.event('[DONE]');
    this.response.end();
    return this;
  }

  /** Ends the body in good form, whatever was said. */
  eof(): this {
    this.response.end();
    return this;
  }

  reset(): this {
    this.response.socket?.resetAndDestroy();
    return this;
  }

  #choice(fields: object, reason: string | null = null): this {
    return this.event({ ...FRAME, choices: [{ index: 0, ...fields, finish_reason: reason }] });
  }
}

export const upstream =
  (answer: (up: Upstream) => unknown): Script =>
  async (response, seen) => {
    await answer(new Upstream(response, seen));
  };

/** `Hello world`, 12 + 2 tokens. */
export const hello: Script = upstream(up => up.say('Hello').say(' world').finish().usage(12, 2).done());

/** Takes the request, and says nothing. */
export const silent: Script = () => {};

/** `Hello`, and no more. */
export const stalls: Script = upstream(up => up.say('Hello'));

/** Answers with this status, and words that stand in no answer of the gateway's own. */
export const status =
  (code: number, headers: Record<string, string> = {}): Script =>
  response => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error: { message: `words of a ${code}`, type: 'x', code: null } }));
  };

/** Longer than any event may be. */
export const HUGE: string = 'x'.repeat(17 * 1024 * 1024);
