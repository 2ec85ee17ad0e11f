// Faults as the official clients see them: none takes a broken answer for a whole one, and all know when to try again.

import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { streamText } from 'ai';
import OpenAI from 'openai';
import { describe, expect, it, vi } from 'vitest';
import type { Script } from '../../../../test/scripted-server.ts';
import {
  type FaultyGateway,
  type FaultyOptions,
  gatewayOver,
  metric,
  newestRecord,
} from '../faults/gateway.ts';
import { HUGE, hello, silent, stalls, status, upstream } from '../faults/upstream.ts';
import { KEY } from '../running-gateway.ts';

const PATIENT = { timeout: 5_000, interval: 5 };
const messages = [{ role: 'user' as const, content: 'Say hello' }];

interface Client {
  name: string;
  /** Reads a stream to its end, and gives its text. */
  stream(url: string, options: { maxRetries: number; signal?: AbortSignal }): Promise<string>;
}

const openai = ({ url }: { url: string }, maxRetries: number) =>
  new OpenAI({ apiKey: KEY, baseURL: `${url}/v1`, maxRetries });

const anthropic = ({ url }: { url: string }, maxRetries: number) =>
  new Anthropic({ apiKey: KEY, baseURL: url, maxRetries });

async function textOf<T>(
  pieces: AsyncIterable<T>,
  of: (piece: T) => string | null | undefined,
): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += of(piece) ?? '';
  return text;
}

const clients: Client[] = [
  {
    name: 'openai-node, chat',
    stream: async (url, { maxRetries, ...options }) => {
      const asked = { model: 'fast', messages, stream: true as const };
      const stream = await openai({ url }, maxRetries).chat.completions.create(asked, options);
      return textOf(stream, chunk => chunk.choices[0]?.delta.content);
    },
  },
  {
    name: 'openai-node, the helper of chat',
    stream: async (url, { maxRetries, ...options }) => {
      const stream = openai({ url }, maxRetries).chat.completions.stream(
        { model: 'fast', messages },
        options,
      );
      return (await stream.finalContent()) ?? '';
    },
  },
  {
    name: 'openai-node, completions',
    stream: async (url, { maxRetries, ...options }) => {
      const asked = { model: 'fast', prompt: 'Say hello', stream: true as const };
      const stream = await openai({ url }, maxRetries).completions.create(asked, options);
      return textOf(stream, chunk => chunk.choices[0]?.text);
    },
  },
  {
    name: 'openai-node, responses',
    stream: async (url, { maxRetries, ...options }) => {
      const stream = openai({ url }, maxRetries).responses.stream(
        { model: 'fast', input: 'Say hello' },
        options,
      );
      return (await stream.finalResponse()).output_text;
    },
  },
  {
    name: '@anthropic-ai/sdk',
    stream: async (url, { maxRetries, ...options }) => {
      const asked = { model: 'fast', max_tokens: 100, messages };
      return anthropic({ url }, maxRetries).messages.stream(asked, options).finalText();
    },
  },
  {
    name: 'the AI SDK',
    stream: async (url, { maxRetries, signal }) => {
      const provider = createOpenAI({ apiKey: KEY, baseURL: `${url}/v1` });
      let failure: unknown;
      const result = streamText({
        model: provider.chat('fast'),
        messages,
        maxRetries,
        ...(signal ? { abortSignal: signal } : {}),
        onError: ({ error }) => {
          failure = error;
        },
      });
      const text = await textOf(result.textStream, piece => piece);
      if (failure !== undefined) throw failure;
      signal?.throwIfAborted();
      expect(await result.finishReason).toBe('stop');
      return text;
    },
  },
];

const faults: { fault: string; script: Script; options?: FaultyOptions }[] = [
  { fault: 'ends without an end signal', script: upstream(up => up.say('Hello').eof()) },
  { fault: 'tells an error in a later event', script: upstream(up => up.say('Hello').error('no').done()) },
  { fault: 'sends half of a JSON value', script: upstream(up => up.say('Hello').event('{"x":').done()) },
  { fault: 'sends an event without end', script: upstream(up => up.say('Hello').say(HUGE).done()) },
  { fault: 'stalls', script: stalls, options: { timeout: 0.3 } },
  { fault: 'fails behind comments', script: silent, options: { timeout: 0.5, server: { keepAlive: 0.1 } } },
  { fault: 'fails at once', script: status(500) },
];

describe.each(clients)('$name', ({ stream }) => {
  it('gets a whole answer whole', async () => {
    const { url } = await gatewayOver([[hello]]);
    expect(await stream(url, { maxRetries: 0 })).toBe('Hello world');
  });

  it.each(faults)('throws when the upstream $fault', async ({ script, options }) => {
    const { url } = await gatewayOver([[script]], options);
    await expect(stream(url, { maxRetries: 0 })).rejects.toThrow();
  });

  it('tries again when told to, and not sooner', async () => {
    const gateway = await gatewayOver([[status(429, { 'retry-after': '1' }), hello]]);
    const startedAt = performance.now();
    expect(await stream(gateway.url, { maxRetries: 1 })).toBe('Hello world');
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(await metric(gateway, 'gateway_requests_total')).toBe(2);
  });

  it('stops the upstream when it is aborted', async () => {
    const gateway = await gatewayOver([[stalls]]);
    const controller = new AbortController();
    const reading = stream(gateway.url, { maxRetries: 2, signal: controller.signal });
    // Some clients throw then, and some just end.
    const over = reading.catch(() => {});
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen.length).toBe(1), PATIENT);
    await new Promise(resolve => setTimeout(resolve, 100));
    controller.abort();
    await over;
    await vi.waitFor(() => expect(gateway.upstreams[0]?.seen[0]?.closedEarly).toBe(true), PATIENT);
    expect(await newestRecord(gateway)).toMatchObject({ state: 'stopped', status: 499 });
    expect(gateway.upstreams[0]?.seen.length).toBe(1);
  });
});

describe('official clients and a budget that is used up', () => {
  async function spent(): Promise<FaultyGateway> {
    const gateway = await gatewayOver([[hello]], { limits: { usdPerMonth: 0.016 } });
    await openai(gateway, 0).chat.completions.create({ model: 'fast', messages });
    return gateway;
  }

  it('openai-node does not try again', async () => {
    const gateway = await spent();
    const asking = openai(gateway, 2).chat.completions.create({ model: 'fast', messages });
    await expect(asking).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' });
    expect(await metric(gateway, 'gateway_requests_total')).toBe(2);
  });

  it('@anthropic-ai/sdk does not try again', async () => {
    const gateway = await spent();
    const asking = anthropic(gateway, 2).messages.create({ model: 'fast', max_tokens: 100, messages });
    await expect(asking).rejects.toBeInstanceOf(Anthropic.APIError);
    expect(await metric(gateway, 'gateway_requests_total')).toBe(2);
  });
});
