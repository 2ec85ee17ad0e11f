import { describe, expect, it } from 'vitest';
import { type Answer, begun, type ChatChunk, ended, withChunk } from './answer.ts';
import { figuresOf } from './figures.ts';

const delta = (delta: NonNullable<ChatChunk['choices']>[number]['delta']): ChatChunk => ({
  choices: [{ ...(delta ? { delta } : {}) }],
});
/** A chunk every 100 ms, from 200 on. */
const answered = (...chunks: ChatChunk[]): Answer =>
  chunks.reduce((answer, chunk, index) => withChunk(answer, chunk, 200 + 100 * index), begun('m', 0));

describe('an answer', () => {
  it('grows by text, thinking and the pieces of tool calls', () => {
    const answer = answered(
      { id: 'chatcmpl-77', model: 'real', choices: [{ delta: { content: '' } }] },
      delta({ reasoning_content: 'Hm' }),
      delta({ content: 'Hel' }),
      delta({ content: 'lo' }),
      delta({ tool_calls: [{ index: 0, id: 'c1', function: { name: 'f', arguments: '{"a"' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
      { choices: [{ finish_reason: 'tool_calls' }] },
    );
    expect(answer).toMatchObject({
      ...{ requestId: '77', answeredBy: 'real', reasoning: 'Hm', text: 'Hello', finishReason: 'tool_calls' },
      toolCalls: [{ id: 'c1', name: 'f', arguments: '{"a":1}' }],
      ...{ state: 'streaming', pieces: 5, firstAt: 300, lastAt: 700 },
    });
  });

  it('fails by an error in its midst, and keeps what it has', () => {
    const answer = answered(delta({ content: 'Hel' }), { error: { message: 'gone', code: 'connection' } });
    expect(answer).toMatchObject({ state: 'failed', text: 'Hel', endedAt: 300, error: { message: 'gone' } });
  });
});

describe('its figures', () => {
  const price = { prompt: 0.001, completion: 0.01 };
  const running = answered(delta({ content: 'a' }), delta({ content: 'b' }), delta({ content: 'c' }));

  it('are estimated while it comes: a token a piece, and four characters of the prompt', () => {
    expect(figuresOf(running, 450, price, 4000)).toEqual({
      ...{ firstTokenMs: 200, totalMs: 450, promptTokens: 1000, completionTokens: 3, tokensPerSecond: 10 },
      ...{ costUsd: 0.00103, estimated: true },
    });
    expect(figuresOf(begun('m', 0), 150, undefined, 8)).toEqual({
      ...{ firstTokenMs: 150, totalMs: 150, promptTokens: 2, completionTokens: 0, estimated: true },
    });
  });

  it('are those of the gateway in the end', () => {
    const usage = { prompt_tokens: 12, completion_tokens: 5, cost: 0.5 };
    const done = ended(withChunk(running, { choices: [], usage }, 500), 'done', 510);
    expect(figuresOf(done, 9999, price, 4000)).toEqual({
      ...{ firstTokenMs: 200, totalMs: 510, promptTokens: 12, completionTokens: 5, tokensPerSecond: 20 },
      ...{ costUsd: 0.5, estimated: false },
    });
  });

  it('have no cost for a call that was refused', () => {
    const refused = ended(begun('m', 0), 'failed', 30, { message: 'no' });
    expect(figuresOf(refused, 99, price, 4000).costUsd).toBeUndefined();
  });
});
