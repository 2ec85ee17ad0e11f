import { AirframeError, ERROR_CATEGORIES, type ErrorCategory } from '@x/airframe';
import { describe, expect, it, vi } from 'vitest';
import { MockProvider } from '../providers/mock.ts';
import type { MockReply } from '../providers/mock-reply.ts';
import { SILENT_ATTEMPT } from '../telemetry/silent.ts';
import { type Candidate, type Failure, firstToAnswer } from './fallback.ts';

const request = { prompt: 'x' };

function candidate(name: string, reply: MockReply): Candidate {
  const provider = new MockProvider({ name, responses: [reply] });
  return {
    name,
    open: () => ({
      name,
      provider,
      model: undefined,
      stream: provider.infer(request),
      telemetry: SILENT_ATTEMPT,
    }),
  };
}

const failing = (name: string, category: ErrorCategory, message: string = category): Candidate =>
  candidate(name, { error: new AirframeError(category, message) });

function hooks() {
  const failures: Failure[] = [];
  return { failures, before: vi.fn(), onFailure: (failure: Failure) => failures.push(failure) };
}

describe('firstToAnswer', () => {
  it.each(ERROR_CATEGORIES)('decides after an error of category %s', async category => {
    const watched = hooks();
    const search = firstToAnswer([failing('a', category), candidate('b', { text: 'hi' })], watched);
    if (category === 'aborted' || category === 'invalid_request') {
      await expect(search).rejects.toMatchObject({ category });
    } else {
      expect((await search).provider.name).toBe('b');
    }
    expect(watched.failures).toMatchObject([{ name: 'a', error: { category }, done: { type: 'done' } }]);
  });

  it.each([
    ['what this provider cannot do', { code: 'unsupported' }, 'b'],
    ['how this provider is set up', { code: 'configuration' }, 'b'],
    ['a route this backend lacks', { status: 501 }, 'b'],
    ['a request that the backend refuses', { status: 400 }, undefined],
    ['a request that makes no sense to the backend', { status: 422 }, undefined],
    ['a request that was never sent', {}, undefined],
  ])('tells the caller’s mistake from the provider’s: %s', async (_, options, answering) => {
    const first = candidate('a', { error: new AirframeError('invalid_request', 'no', options) });
    const search = firstToAnswer([first, candidate('b', { text: 'hi' })], hooks());
    if (answering === undefined) await expect(search).rejects.toThrow('no');
    else expect((await search).provider.name).toBe(answering);
  });

  it('hands over the first output, be it text, reasoning or a tool call', async () => {
    for (const reply of [
      { text: 'hi' },
      { reasoning: 'hm' },
      { toolCalls: [{ name: 'add', arguments: '' }] },
    ]) {
      const { head } = await firstToAnswer([candidate('a', reply)], hooks());
      expect(head).toHaveLength(1);
    }
  });

  it('stays with a provider that fails after its first output', async () => {
    const broken = candidate('a', { text: 'hi', error: new AirframeError('backend', 'no') });
    const answer = await firstToAnswer([broken, candidate('b', { text: 'hi' })], hooks());
    expect(answer.provider.name).toBe('a');
    expect(await answer.stream.next()).toMatchObject({ value: { type: 'error' } });
  });

  it('takes a good end without any output for an answer', async () => {
    const { head } = await firstToAnswer([candidate('a', { chunks: [] })], hooks());
    expect(head.map(event => event.type)).toEqual(['message', 'done']);
  });

  it('moves on from a provider that cannot be made, whatever its error says', async () => {
    const broken: Candidate = {
      name: 'a',
      open: () => {
        throw new AirframeError('invalid_request', 'no adapter');
      },
    };
    const watched = hooks();
    expect((await firstToAnswer([broken, candidate('b', { text: 'hi' })], watched)).provider.name).toBe('b');
    expect(watched.failures).toMatchObject([{ name: 'a', error: { message: 'no adapter' } }]);
  });

  it('throws the only error as it is, and several as one that names all', async () => {
    await expect(firstToAnswer([failing('a', 'auth', 'bad key')], hooks())).rejects.toMatchObject({
      message: 'bad key',
    });
    const all = [
      failing('a', 'auth', 'bad key'),
      failing('b', 'rate_limit', 'slow down'),
      failing('c', 'backend', 'x'),
    ];
    await expect(firstToAnswer(all, hooks())).rejects.toMatchObject({
      category: 'rate_limit',
      retryable: true,
      message: 'all 3 LLM providers failed: a: bad key | b: slow down | c: x',
    });
  });

  it('asks before each try, and ends when it may not go on', async () => {
    const before = vi
      .fn()
      .mockImplementationOnce(() => {})
      .mockImplementation(() => {
        throw new AirframeError('quota', 'enough');
      });
    const search = firstToAnswer([failing('a', 'backend'), candidate('b', {})], { ...hooks(), before });
    await expect(search).rejects.toMatchObject({ category: 'quota' });
    expect(before).toHaveBeenCalledTimes(2);
  });
});
