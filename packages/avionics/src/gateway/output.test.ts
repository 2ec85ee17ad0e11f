import { AirframeError } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { Limiter } from '../limits/limiter.ts';
import { MockProvider } from '../providers/mock.ts';
import { getSettings } from '../settings/settings.ts';
import { LLMGateway } from './gateway.ts';
import { mockedGateway, readAll } from './test-gateway.ts';

const reply = {
  text: 'It is 3.',
  reasoning: 'One and two.',
  toolCalls: [{ name: 'add', arguments: '{"a":1,"b":2}' }],
};
const tools = [{ name: 'add', parameters: { type: 'object' } }];
const asked = { prompt: 'Add 1 and 2', tools } as const;

const kindsOf = (chunks: { text: string; isFinal: boolean; event?: { type: string } }[]) =>
  chunks.map(chunk => (chunk.isFinal ? 'final' : (chunk.event?.type ?? 'text')));

describe('a stream of all output', () => {
  it('gives thinking and tool calls as they come; one of text gives text alone', async () => {
    const { gateway } = mockedGateway({ main: [reply, reply] });
    const { chunks } = await readAll(gateway.completeStream({ ...asked, output: 'all' }));
    expect(new Set(kindsOf(chunks))).toEqual(
      new Set(['reasoning', 'text', 'tool_call_delta', 'tool_call', 'final']),
    );
    const texts = await readAll(gateway.completeStream(asked));
    expect(new Set(kindsOf(texts.chunks))).toEqual(new Set(['text', 'final']));
  });

  it('gives the same from the cache, whoever asked first', async () => {
    const { gateway, main } = mockedGateway({ main: [reply] }, { cache: { ttlMs: 60_000 } });
    await gateway.complete(asked);
    const { chunks } = await readAll(gateway.completeStream({ ...asked, output: 'all' }));
    expect(kindsOf(chunks)).toContain('reasoning');
    expect(kindsOf(chunks)).toContain('tool_call');
    expect(main.requests).toHaveLength(1);
    const texts = await readAll(gateway.completeStream(asked));
    expect(new Set(kindsOf(texts.chunks))).toEqual(new Set(['text', 'final']));
  });

  it('tells how far it has come, also after it has failed', async () => {
    const broken = { text: 'one two', error: new AirframeError('connection', 'the line broke') };
    const limiter = new Limiter({ rules: [{ name: 'rpm', scope: 'all', window: 'minute', requests: 9 }] });
    const { gateway } = mockedGateway({ main: [broken] }, { limiter });
    const stream = gateway.completeStream(asked);
    expect(stream.progress()).toBeUndefined();
    const { error } = await readAll(stream);
    expect(error).toMatchObject({ category: 'connection' });
    const progress = stream.progress();
    expect(progress).toMatchObject({
      attempts: [{ provider: 'llamaserver', outcome: 'connection' }],
      billed: { completionTokens: 2 },
      limits: [{ rule: 'rpm', unit: 'requests', limit: 9, spent: 0, reserved: 1 }],
    });
    expect(progress?.costUsd).toBeGreaterThan(0);
  });
});

describe('a route', () => {
  it('decides who is asked, and for what, in the place of settings', async () => {
    const first = new MockProvider({ responses: [{ error: new AirframeError('backend', 'no') }] });
    const second = new MockProvider({ responses: [{ text: 'yes' }] });
    const gateway = new LLMGateway(getSettings({}), {
      providers: { first, second },
      route: ({ model }) => {
        if (model !== 'fast') throw new AirframeError('not_found', `no model is named ${model}`);
        return [
          { provider: 'first', model: 'a' },
          { provider: 'second', model: 'b', defaults: { temperature: 0.1 } },
        ];
      },
    });
    const response = await gateway.complete({ prompt: 'x', model: 'fast' });
    expect(response).toMatchObject({ text: 'yes', provider: 'second' });
    expect(response.metadata.attempts).toMatchObject([
      { provider: 'first', model: 'a', outcome: 'backend' },
      { provider: 'second', model: 'b', outcome: 'ok' },
    ]);
    expect(second.requests[0]).toMatchObject({ model: 'b', temperature: 0.1 });
    await expect(gateway.complete({ prompt: 'x', model: 'slow' })).rejects.toThrow('no model is named slow');
  });
});

describe('a raw prompt', () => {
  it('goes as it is, and nothing goes beside it', async () => {
    const { gateway, main } = mockedGateway({ main: [{ text: 'x' }] });
    await gateway.complete({ rawPrompt: 'Once upon' });
    expect(main.requests[0]).toMatchObject({ prompt: 'Once upon' });
    await expect(gateway.complete({ rawPrompt: 'a', system: 'b' } as never)).rejects.toThrow(
      'rawPrompt is all that is asked',
    );
  });
});
