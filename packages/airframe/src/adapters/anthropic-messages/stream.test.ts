import { describe, expect, it } from 'vitest';
import { block, delta, events, start, stop, text, thinking, toolUse } from './__fixtures__/events.ts';
import { adapter, infer, messages, serving } from './__fixtures__/served.ts';

const { serve, sockets } = serving();

describe('a stream', () => {
  it('counts tool calls on their own, not by the index over all blocks', async () => {
    const endpoint = await serve(
      events([
        start(),
        ...text(0, 'a'),
        ...toolUse(1, 't1'),
        ...toolUse(2, 't2', '{"x"', ':1}'),
        delta('tool_use'),
        stop,
      ]),
    );
    const indexes: number[] = [];
    for await (const event of adapter.streamInfer(endpoint, { messages })) {
      if (event.type === 'tool_call_delta') indexes.push(event.index);
    }
    expect(indexes).toEqual([0, 1, 1, 1]);
  });

  it('does not put the placeholder {} before the arguments, and takes none for an empty object', async () => {
    const endpoint = await serve(
      events([start(), ...toolUse(0, 't1', '', '{"x":1}'), ...toolUse(1, 't2'), delta('tool_use'), stop]),
    );
    expect((await infer(endpoint)).toolCalls).toEqual([
      { id: 't1', name: 'wx', arguments: '{"x":1}', input: { x: 1 } },
      { id: 't2', name: 'wx', arguments: '{}', input: {} },
    ]);
  });

  it('keeps a tool input that max_tokens cut', async () => {
    const endpoint = await serve(events([start(), ...toolUse(0, 't1', '{"x"'), delta('max_tokens'), stop]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'length',
      toolCalls: [{ arguments: '{"x"', parseError: expect.stringContaining('not valid JSON') }],
    });
  });

  it('reads thinking with its signature, without its text, and redacted, each a part of its own', async () => {
    const redacted = block(2, { type: 'redacted_thinking', data: 'ZZ' });
    const endpoint = await serve(
      events([
        start(),
        ...thinking(0, 'S1', 'Hm', 'm.'),
        ...thinking(1, 'S2'),
        ...redacted,
        ...text(3, 'a'),
        delta('end_turn'),
        stop,
      ]),
    );
    const result = await infer(endpoint);
    expect(result).toMatchObject({ text: 'a', reasoning: 'Hmm.' });
    expect(result.message?.reasoning).toEqual([
      { text: 'Hmm.', signature: 'anthropic:0.0:S1' },
      { text: '', signature: 'anthropic:0.0:S2' },
      { text: '', signature: 'anthropic-redacted:0.0:ZZ' },
    ]);
  });

  it('skips the API’s own tools, citations, and blocks, deltas and events that it does not know', async () => {
    const own = { type: 'server_tool_use', id: 'srv', name: 'web_search', input: {} };
    const endpoint = await serve(
      events([
        start(),
        ...block(0, own, { type: 'input_json_delta', partial_json: '{"q":1}' }),
        ...block(1, { type: 'web_search_tool_result', tool_use_id: 'srv', content: [] }),
        ...block(
          2,
          { type: 'text', text: '' },
          { type: 'citations_delta', citation: {} },
          { type: 'text_delta', text: 'a' },
        ),
        ...block(3, { type: 'hologram' }, { type: 'photons' }),
        { type: 'ping' },
        { type: 'fanfare' },
        delta('end_turn'),
        stop,
      ]),
    );
    expect(await infer(endpoint)).toMatchObject({ text: 'a', toolCalls: [], finishReason: 'stop' });
  });

  it('takes the figures of message_delta for totals: it overwrites, and null says nothing', async () => {
    const first = {
      input_tokens: 10,
      cache_creation_input_tokens: 100,
      cache_creation: { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 60 },
      cache_read_input_tokens: 1000,
      output_tokens: 3,
    };
    const later = {
      input_tokens: 20,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: 2000,
      output_tokens: 31,
    };
    const details = { output_tokens: 40, output_tokens_details: { thinking_tokens: 8 } };
    const endpoint = await serve(
      events([start(first), delta(null, later), delta('end_turn', details), stop]),
    );
    expect((await infer(endpoint)).usage).toEqual({
      promptTokens: 2120,
      cachedTokens: 2000,
      cacheWriteTokens: 100,
      cacheWrite1hTokens: 60,
      completionTokens: 40,
      reasoningTokens: 8,
      totalTokens: 2160,
      source: 'reported',
    });
  });

  it('leaves out cache figures that are null', async () => {
    const usage = {
      input_tokens: 5,
      cache_creation_input_tokens: null,
      cache_creation: null,
      cache_read_input_tokens: null,
    };
    const endpoint = await serve(events([start(usage), delta('end_turn'), stop]));
    expect((await infer(endpoint)).usage).toEqual({
      promptTokens: 5,
      completionTokens: 31,
      totalTokens: 36,
      source: 'reported',
    });
  });

  it('names the tier and the limits that it was served under', async () => {
    const endpoint = await serve(response => {
      response.setHeader('anthropic-ratelimit-requests-remaining', '7');
      events([start({ input_tokens: 1, service_tier: 'priority' }), delta('end_turn'), stop])(response);
    });
    expect(await infer(endpoint)).toMatchObject({
      serviceTier: 'priority',
      rateLimits: { requests: { remaining: 7 } },
      attempts: [{ requestId: 'req_1' }],
    });
  });

  it.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['pause_turn', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool_calls'],
    ['refusal', 'content_filter'],
    ['tea_time', 'stop'],
  ])('ends with %s as %s', async (reason, finishReason) => {
    const endpoint = await serve(events([start(), ...text(0, 'a'), delta(reason), stop]));
    expect(await infer(endpoint)).toMatchObject({ finishReason, text: 'a' });
  });

  it('is truncated without message_stop, even after a stop reason, and knows its usage', async () => {
    const endpoint = await serve(events([start(), ...text(0, 'a'), delta('end_turn')]));
    expect(await infer(endpoint)).toMatchObject({
      finishReason: 'truncated',
      error: { code: 'truncated' },
      usage: { promptTokens: 12, completionTokens: 31, source: 'reported' },
    });
  });

  it('does not take the provisional output count of message_start for the figure of a cut stream', async () => {
    const endpoint = await serve(events([start(), ...text(0, 'x'.repeat(400))]));
    expect((await infer(endpoint)).usage).toMatchObject({
      promptTokens: 12,
      completionTokens: 100,
      source: 'estimated',
    });
  });

  it('is over at message_stop, whatever a server sends behind it', async () => {
    const garbage = ['[DONE]', '{"type":"error","error":{"type":"api_error"}}'];
    const whole = [start(), ...text(0, 'a'), delta('end_turn'), stop].map(event => JSON.stringify(event));
    const endpoint = await serve(response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write([...whole, ...garbage].map(data => `data: ${data}\n\n`).join(''));
    });
    expect(await infer(endpoint)).toMatchObject({ finishReason: 'stop', text: 'a' });
    await expect.poll(sockets).toBe(0);
  });

  it.each([['null'], ['{"type":'], ['[DONE]']])('takes %s as an event for a parse error', async data => {
    const endpoint = await serve(response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${data}\n\n`);
    });
    expect(await infer(endpoint)).toMatchObject({ error: { category: 'parse' } });
  });
});
