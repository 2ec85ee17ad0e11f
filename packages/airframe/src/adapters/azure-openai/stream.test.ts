import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
  sse,
} from '../../../../../test/scripted-server.ts';
import type { InferenceResult } from '../../collect.ts';
import { endpointAt, infer } from './__fixtures__/sent.ts';

const LATE_BLOCK = readFileSync(new URL('./__fixtures__/late-block.sse', import.meta.url), 'utf8');

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function read(script: Script, stream = true): Promise<InferenceResult> {
  server = await scriptedServer(script);
  return infer(endpointAt(server.url), { stream });
}
const raw = (text: string): Script => {
  return response => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).end(text);
  };
};
const annotation = { id: '', object: '', created: 0, model: '', usage: null };
const chunk = (fields: object, finish_reason: string | null = null) => ({
  id: 'c1',
  model: 'm-2025',
  choices: [{ index: 0, finish_reason, ...fields }],
});
const say = (content: string) => chunk({ delta: { content }, content_filter_results: {} });
const stop = chunk({ delta: {} }, 'stop');

describe('the asynchronous filter', () => {
  it('a content_filter after stop replaces it; the id is that of the first frame that has one', async () => {
    expect(await read(raw(LATE_BLOCK))).toMatchObject({
      text: 'Hello',
      finishReason: 'content_filter',
      responseId: 'c1',
      model: 'm-2025',
      message: { content: 'Hello' },
    });
  });

  it('CRLF framing reads the same', async () => {
    expect(await read(raw(LATE_BLOCK.replaceAll('\n', '\r\n')))).toMatchObject({
      text: 'Hello',
      finishReason: 'content_filter',
      responseId: 'c1',
    });
  });

  it('annotations after stop that find nothing leave it stop', async () => {
    const late = { ...annotation, choices: [{ index: 0, finish_reason: null, content_filter_offsets: {} }] };
    expect(await read(sse([say('a'), stop, late, '[DONE]']))).toMatchObject({ finishReason: 'stop' });
  });

  it('frames without delta among the tokens are passed over', async () => {
    const among = { ...annotation, choices: [{ index: 0, content_filter_results: {}, finish_reason: null }] };
    expect(await read(sse([say('a'), among, say('b'), among, stop, '[DONE]']))).toMatchObject({
      text: 'ab',
      finishReason: 'stop',
    });
  });
});

describe('the default filter', () => {
  it.each(['prompt_filter_results', 'prompt_annotations'])(
    'a first frame with %s has no choice',
    async name => {
      const first = { ...annotation, [name]: [{ prompt_index: 0, content_filter_results: {} }], choices: [] };
      expect(await read(sse([first, say('a'), stop, '[DONE]']))).toMatchObject({
        text: 'a',
        finishReason: 'stop',
        responseId: 'c1',
        model: 'm-2025',
      });
    },
  );

  it('text in bursts, each with its results, and usage at the end', async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    const last = { id: 'c1', model: 'm-2025', choices: [], usage };
    const burst = say('a long burst of text '.repeat(50));
    expect(await read(sse([burst, burst, stop, last, '[DONE]']))).toMatchObject({
      text: 'a long burst of text '.repeat(100),
      usage: { totalTokens: 5, source: 'reported' },
    });
  });

  it('a content_filter_error inside the results is no failure: the filter did not run', async () => {
    const error = { code: 'content_filter_error', message: 'The contents are not filtered' };
    const unfiltered = chunk({ delta: { content: 'a' }, content_filter_results: { error } });
    const result = await read(sse([unfiltered, stop, '[DONE]']));
    expect(result).toMatchObject({ text: 'a', finishReason: 'stop' });
    expect(result.error).toBeUndefined();
  });

  it('an output that is blocked without streaming may have no message.content', async () => {
    const choices = [
      {
        index: 0,
        finish_reason: 'content_filter',
        message: { role: 'assistant' },
        content_filter_results: {},
      },
    ];
    for (const choice of [choices, [{ index: 0, finish_reason: 'content_filter' }]]) {
      expect(await read(json(200, { id: 'c1', choices: choice }), false)).toMatchObject({
        text: '',
        finishReason: 'content_filter',
      });
      await server?.close();
    }
    server = undefined;
  });

  it('a stream cut before any finish_reason is truncated, annotations or not', async () => {
    const late = { ...annotation, choices: [{ index: 0, finish_reason: null, content_filter_offsets: {} }] };
    expect(await read(sse([say('a'), late]))).toMatchObject({ text: 'a', finishReason: 'truncated' });
  });
});
