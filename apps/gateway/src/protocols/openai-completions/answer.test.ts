import { AirframeError } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { facts, type Reply, responseOf, streamOf } from '../__fixtures__/replies.ts';
import { readCompletions } from './request.ts';

const writerOf = (fields: object = {}) => readCompletions({ prompt: 'Once', ...fields }).answer(facts);
const reply: Reply = { pieces: [{ thinking: 'Hm' }, { text: ' upon' }, { text: ' a' }] };
const eventsOf = (stream: string) =>
  stream
    .trimEnd()
    .split('\n\n')
    .map(event => event.replace('data: ', ''));
const textOf = (stream: string) =>
  eventsOf(stream)
    .filter(data => data !== '[DONE]')
    .map(data => JSON.parse(data).choices?.[0]?.text ?? '')
    .join('');

describe('a stream', () => {
  it('is text alone, with a reason at its end', () => {
    const stream = streamOf(writerOf(), { ...reply, finishReason: 'length' });
    expect(textOf(stream)).toBe(' upon a');
    const events = eventsOf(stream);
    expect(events.at(-1)).toBe('[DONE]');
    expect(JSON.parse(events.at(-2) ?? '')).toEqual({
      id: 'cmpl-r1',
      object: 'text_completion',
      created: 1_700_000_000,
      model: 'asked',
      choices: [{ index: 0, text: '', logprobs: null, finish_reason: 'length' }],
    });
  });

  it('repeats the prompt, and tells the usage, where that is asked for', () => {
    const stream = streamOf(writerOf({ echo: true, stream_options: { include_usage: true } }), reply);
    expect(textOf(stream)).toBe('Once upon a');
    expect(JSON.parse(eventsOf(stream).at(-2) ?? '')).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 20, completion_tokens: 7, cost: 0.25 },
    });
  });

  it('that breaks off ends with an error and without [DONE]', () => {
    const last = eventsOf(writerOf().fail(new AirframeError('backend', 'broke'))).at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ error: { message: 'broke', type: 'server_error' } });
  });
});

it('a whole answer is text alone', () => {
  expect(writerOf({ echo: true }).whole(responseOf(reply))).toMatchObject({
    id: 'cmpl-r1',
    choices: [{ index: 0, text: 'Once upon a', logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 },
  });
});
