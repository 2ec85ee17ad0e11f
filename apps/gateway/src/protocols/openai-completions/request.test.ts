import { describe, expect, it } from 'vitest';
import { readCompletions } from './request.ts';

const base = { model: 'm', prompt: 'Once' };

describe('a request', () => {
  it('is a raw prompt, with options under the names of the gateway', () => {
    const { model, stream, request } = readCompletions({
      ...base,
      stream: true,
      max_tokens: 5,
      temperature: 0,
      top_p: 0.9,
      seed: 7,
      stop: ['\n', 'END'],
      n: 1,
      best_of: 1,
      logprobs: null,
    });
    expect({ model, stream }).toEqual({ model: 'm', stream: true });
    expect(request).toEqual({
      rawPrompt: 'Once',
      maxTokens: 5,
      temperature: 0,
      topP: 0.9,
      seed: 7,
      stop: ['\n', 'END'],
    });
  });

  it('may hold its one prompt in a list', () => {
    expect(readCompletions({ ...base, prompt: ['Once'] }).request.rawPrompt).toBe('Once');
  });

  it('passes on what changes the sampling, and names what is left out', () => {
    const { request, ignored } = readCompletions({
      ...base,
      repeat_penalty: 1.2,
      user: 'u',
      x: 1,
      store: false,
    });
    expect(request.extra).toEqual({ repeat_penalty: 1.2 });
    expect(ignored).toEqual(['x']);
  });

  it.each([
    [{ prompt: ['a', 'b'] }, /prompt/],
    [{ prompt: [1, 2] }, /give a text; token ids/],
    [{ prompt: undefined }, /prompt/],
    [{ n: 2 }, /one answer a call/],
    [{ best_of: 3 }, /one answer a call/],
    [{ logprobs: 1 }, /logprobs is not supported/],
    [{ suffix: 'end' }, /suffix is not supported/],
  ])('with %j is refused', (fields, problem) => {
    expect(() => readCompletions({ ...base, ...fields })).toThrow(problem);
  });
});
