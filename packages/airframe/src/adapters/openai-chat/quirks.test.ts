import { describe, expect, it } from 'vitest';
import { chunk, events, stop } from './__fixtures__/read.ts';

describe('choices and deltas', () => {
  it.each([
    ['choices empty', { choices: [] }],
    ['choices absent', { id: 'c1' }],
    ['choices null', { choices: null }],
    ['delta null', chunk(null)],
    ['delta missing (Azure’s filter frames)', { choices: [{ index: 0, finish_reason: null }] }],
    ['role on every chunk', chunk({ role: 'assistant', content: '' })],
    ['role empty', chunk({ role: '', content: null })],
    ['padding against eavesdroppers (OpenAI)', { ...chunk({ content: '' }), obfuscation: 'x1', usage: null }],
    ['finish_reason empty', chunk({ content: '' }, '')],
    ['finish_reason absent', { choices: [{ delta: {} }] }],
    ['other choices', { choices: [{ index: 1, delta: { content: 'no' }, finish_reason: 'length' }] }],
  ])('%s', async (_quirk, odd) => {
    expect(await events(odd, chunk({ content: 'a' }), odd, stop)).toMatchObject({
      text: 'a',
      finishReason: 'stop',
      responseId: 'c1',
      model: 'm',
    });
  });

  it.each([
    ['stop', 'stop'],
    ['eos', 'stop'],
    ['load', 'stop'],
    ['constructor', 'stop'],
    ['length', 'length'],
    ['model_length', 'length'],
    ['function_call', 'tool_calls'],
    ['content_filter', 'content_filter'],
  ])('finish_reason %s is %s', async (word, reason) => {
    expect(await events(chunk({ content: 'a' }, word))).toMatchObject({ text: 'a', finishReason: reason });
  });

  it('a content filter that strikes after stop (Azure)', async () => {
    const late = { id: '', model: '', choices: [{ index: 0, finish_reason: 'content_filter' }] };
    expect(await events(chunk({ content: 'a' }), stop, late)).toMatchObject({
      finishReason: 'content_filter',
      responseId: 'c1',
    });
  });

  it('a refusal is text, and the finish reason stays', async () => {
    expect(
      await events(chunk({ content: null, refusal: 'I can' }), chunk({ refusal: 'not.' }), stop),
    ).toMatchObject({
      text: 'I cannot.',
      finishReason: 'stop',
    });
  });

  it('content as array of parts with thinking (Mistral)', async () => {
    const thinking = [{ type: 'text', text: 'hm' }];
    const parts = [
      { type: 'thinking', thinking },
      { type: 'text', text: 'a' },
      { type: 'reference', reference_ids: [1] },
      { type: 'image_url', image_url: 'x' },
    ];
    expect(await events(chunk({ content: parts }), chunk({ content: 'b' }), stop)).toMatchObject({
      reasoning: 'hm',
      text: 'ab',
    });
  });

  it('content, finish_reason and usage in one chunk (Gemini’s endpoint)', async () => {
    const all = { ...chunk({ content: 'a' }, 'stop'), usage: { prompt_tokens: 3, completion_tokens: 1 } };
    expect(await events(all)).toMatchObject({
      text: 'a',
      finishReason: 'stop',
      usage: { promptTokens: 3, completionTokens: 1, source: 'reported' },
    });
  });

  it('text of /completions', async () => {
    expect(await events({ choices: [{ index: 0, text: 'a', finish_reason: 'length' }] })).toMatchObject({
      text: 'a',
      finishReason: 'length',
    });
  });

  it('the service tier that was used', async () => {
    expect(await events({ ...stop, service_tier: 'flex' })).toMatchObject({ serviceTier: 'flex' });
  });
});

describe('reasoning', () => {
  it.each([
    ['reasoning_content', { reasoning_content: 'hm' }],
    ['reasoning', { reasoning: 'hm' }],
    ['both with the same text (Together): never both', { reasoning_content: 'hm', reasoning: 'hm' }],
    ['one of them empty', { reasoning_content: '', reasoning: 'hm' }],
    [
      'beside reasoning_details (OpenRouter)',
      { reasoning: 'hm', reasoning_details: [{ type: 'reasoning.text', text: 'hm' }] },
    ],
    ['one after the other', { reasoning: 'h' }, { reasoning_content: 'm' }],
    ['reasoning_details alone', { reasoning_details: [{ type: 'reasoning.summary', summary: 'hm' }] }],
  ])('%s', async (_quirk, ...deltas) => {
    expect(await events(...deltas.map(delta => chunk(delta)), stop)).toMatchObject({ reasoning: 'hm' });
  });

  it('think tags that the server has not parsed stay text', async () => {
    const text = '<think>hm</think>a';
    expect(await events(chunk({ content: text }), stop)).toMatchObject({ text, reasoning: '' });
  });

  it('the signature in reasoning_details is kept for the next turn', async () => {
    const detail = { type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0 };
    const { message } = await events(
      chunk({ reasoning: 'h', reasoning_details: [{ ...detail, text: 'h' }] }),
      chunk({ reasoning: 'm', reasoning_details: [{ ...detail, text: 'm' }] }),
      chunk({ reasoning_details: [{ ...detail, signature: 'S' }] }),
      chunk({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'D' }] }),
      stop,
    );
    expect(message?.reasoning).toEqual([
      { text: 'hm', signature: JSON.stringify({ ...detail, signature: 'S' }) },
      { text: '', signature: '{"type":"reasoning.encrypted","data":"D"}' },
    ]);
  });
});
