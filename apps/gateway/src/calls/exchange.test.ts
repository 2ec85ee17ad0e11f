import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AirframeError } from '@x/airframe';
import type { CallProgress, CompletionStream, LLMResponse, StreamingChunk } from '@x/avionics';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAIChat } from '../protocols/openai-chat/index.ts';
import { Exchange } from './exchange.ts';
import { CallRecorder } from './recorder.ts';

const PIECE = { text: 'Hello', provider: 'local', model: 'm' } as StreamingChunk;
const FINAL = {
  ...PIECE,
  text: '',
  response: {
    text: 'Hello',
    toolCalls: [],
    provider: 'local',
    model: 'm',
    metadata: { finishReason: 'stop', usage: { promptTokens: 1, completionTokens: 1, totalTokens: 2 } },
  } as unknown as LLMResponse,
} as StreamingChunk;

const PROGRESS = {
  attempts: [],
  billed: { promptTokens: 1, completionTokens: 1, totalTokens: 2 },
  costUsd: 0,
  priced: true,
  routes: [],
  skipped: [],
  limits: [],
} as unknown as CallProgress;

/** Chunks one by one. `late`: the first one comes when the stream has been left. */
function streamOf(chunks: StreamingChunk[], progress: CallProgress, late: boolean): CompletionStream {
  let left = () => {};
  const leaving = late ? new Promise<void>(resolve => (left = resolve)) : undefined;
  const rest = [...chunks];
  return {
    next: async () => {
      await leaving;
      const value = rest.shift();
      return value ? { done: false, value } : { done: true, value: undefined };
    },
    poll: () => undefined,
    return: async () => {
      left();
      return { done: true, value: undefined };
    },
    progress: () => progress,
    [Symbol.asyncIterator]() {
      return this;
    },
  } as unknown as CompletionStream;
}

interface Setup {
  stream?: boolean;
  progress?: CallProgress;
  late?: boolean;
  /** Of the recorder, when the call is over. */
  ended?: () => void;
  began?: (exchange: Exchange) => void;
}

/** Asks a server whose every answer is an exchange. */
async function asked({ stream = true, progress = PROGRESS, late = false, ended, began }: Setup) {
  const failures: unknown[] = [];
  let over = 0;
  const server = createServer((raw, response) => {
    const body = { model: 'm', stream, messages: [{ role: 'user', content: 'Hi' }] };
    const facts = { id: '1', key: 'k', agent: 'a', protocol: 'openai-chat', model: 'm', stream };
    const record = ({ state }: { state: string }) => void (state !== 'running' && ended?.());
    const exchange = new Exchange(
      { raw, response },
      {
        requestId: '1',
        protocol: openAIChat,
        asked: openAIChat.read(body),
        request: { prompt: 'Hi' },
        complete: () => streamOf([PIECE, FINAL], progress, late),
        recorder: new CallRecorder(facts, { record }),
        over: () => over++,
        keepAliveMs: 10_000,
        writeTimeoutMs: 10_000,
      },
    );
    exchange.run().catch(error => failures.push(error));
    began?.(exchange);
  });
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { response, text: await response.text(), failures, over: () => over };
}

describe('an exchange', () => {
  it.each([true, false])(
    'gives an answer to its end though its record fails (streamed: %s)',
    async stream => {
      const broken = new Error('no record');
      const ended = () => {
        throw broken;
      };
      const { response, text, failures, over } = await asked({ stream, ended });
      expect(response.status).toBe(200);
      expect(text).toContain('Hello');
      expect(text.endsWith(stream ? 'data: [DONE]\n\n' : '}')).toBe(true);
      expect(failures).toEqual([broken]);
      expect(over()).toBe(1);
    },
  );

  it('writes names in its headers that no header could carry', async () => {
    const routes = [{ node: 'узел\n1', reasons: { waitedMs: 0 } }] as unknown as CallProgress['routes'];
    const { response, text } = await asked({ progress: { ...PROGRESS, routes } });
    expect(response.headers.get('x-gateway-node')).toBe('?????1');
    expect(text).toContain('[DONE]');
  });

  it.each([true, false])('that was stopped says nothing more (streamed: %s)', async stream => {
    const states: number[] = [];
    const { response, text, over } = await asked({
      stream,
      late: true,
      began: exchange => exchange.stop(new AirframeError('overloaded', 'going down')),
      ended: () => states.push(1),
    });
    expect(response.status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ error: { message: expect.stringContaining('going down') } });
    expect(states).toEqual([1]);
    expect(over()).toBe(1);
  });
});
