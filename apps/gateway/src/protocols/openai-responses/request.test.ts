import { describe, expect, it } from 'vitest';
import { facts, responseOf } from '../__fixtures__/replies.ts';
import { readResponses } from './request.ts';

const base = { model: 'm', input: 'hi' };
const asked = (fields: object) => readResponses({ ...base, ...fields }).request;
const history = (...input: object[]) => asked({ input }).messages;
const echo = (fields: object) =>
  readResponses({ ...base, ...fields })
    .answer(facts)
    .whole(responseOf({ pieces: [] }));
const wx = {
  type: 'function',
  name: 'wx',
  description: 'Weather',
  parameters: { type: 'object' },
  strict: true,
};

describe('a request', () => {
  it('names its model, and asks for a stream', () => {
    const { model, stream, request } = readResponses({ ...base, stream: true });
    expect({ model, stream }).toEqual({ model: 'm', stream: true });
    expect(request).toEqual({ messages: [{ role: 'user', content: 'hi' }] });
  });

  it('may leave the model to the gateway', () => {
    expect(readResponses({ input: 'hi' }).model).toBe('');
  });

  it('takes options, under the names of the gateway', () => {
    const options = {
      max_output_tokens: 100,
      temperature: 0,
      top_p: 0.9,
      parallel_tool_calls: false,
      reasoning: { effort: 'minimal', summary: 'auto' },
      metadata: { run: '7' },
      service_tier: 'flex',
      prompt_cache_key: 'k',
    };
    expect(asked(options)).toMatchObject({
      maxTokens: 100,
      temperature: 0,
      topP: 0.9,
      parallelToolCalls: false,
      reasoning: { effort: 'minimal' },
      metadata: { run: '7' },
      serviceTier: 'flex',
      promptCache: { key: 'k' },
    });
  });

  it('lets nothing hide a default that is null', () => {
    const nothing = { instructions: null, tools: null, temperature: null, text: null, reasoning: null };
    expect(Object.keys(asked(nothing))).toEqual(['messages']);
  });

  it.each([
    [{ type: 'text' }, { type: 'text' }],
    [{ type: 'json_object' }, { type: 'json' }],
    [
      { type: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true },
      { type: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true },
    ],
  ])('with the format %j asks for %j', (format, responseFormat) => {
    expect(asked({ text: { format, verbosity: 'low' } }).responseFormat).toEqual(responseFormat);
  });

  it('tells what it asks that is left out', () => {
    const { ignored } = readResponses({
      ...base,
      ...{ store: true, truncation: 'auto', prompt_cache_retention: '24h' },
      text: { verbosity: 'low' },
      tools: [wx],
    });
    expect(ignored).toEqual([
      'prompt_cache_retention',
      'store',
      'text.verbosity',
      'truncation',
      'tools.strict',
    ]);
    const harmless = { store: false, truncation: 'disabled', user: 'u', safety_identifier: 's' };
    expect(readResponses({ ...base, ...harmless }).ignored).toEqual([]);
  });

  it('stands in its answer, which says that nothing is stored', () => {
    const request = { instructions: 'Be brief.', tools: [wx], tool_choice: 'auto', store: true };
    expect(echo(request)).toMatchObject({
      ...request,
      store: false,
      text: { format: { type: 'text' } },
      metadata: {},
      parallel_tool_calls: true,
      previous_response_id: null,
    });
  });
});

describe('tools', () => {
  const time = { type: 'function', name: 'time' };

  it('are functions', () => {
    expect(asked({ tools: [wx, time] }).tools).toEqual([
      { name: 'wx', description: 'Weather', parameters: { type: 'object' } },
      { name: 'time', parameters: { type: 'object', properties: {} } },
    ]);
  });

  it.each(['auto', 'none', 'required'])('are chosen by %s', tool_choice => {
    expect(asked({ tools: [wx], tool_choice }).toolChoice).toBe(tool_choice);
  });

  it('are chosen by name, one or several', () => {
    const named = { type: 'function', name: 'wx' };
    expect(asked({ tools: [wx, time], tool_choice: named }).toolChoice).toEqual({ name: 'wx' });
    const several = { type: 'allowed_tools', mode: 'required', tools: [named] };
    expect(asked({ tools: [wx, time], tool_choice: several })).toMatchObject({
      tools: [{ name: 'wx' }],
      toolChoice: 'required',
    });
  });
});

describe('a conversation', () => {
  it('has its instructions in front, and others in their place', () => {
    const input = [
      { role: 'developer', content: 'Be kind.' },
      { role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
    ];
    expect(asked({ instructions: 'Be brief.', input }).messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'hi' },
    ]);
  });

  it('shows images', () => {
    const content = [
      { type: 'input_text', text: 'What is this?' },
      { type: 'input_image', image_url: 'data:image/png;base64,iVBOR', detail: 'auto' },
    ];
    expect(history({ role: 'user', content })).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', url: 'data:image/png;base64,iVBOR' },
        ],
      },
    ]);
  });

  it('joins the items of one turn of the model', () => {
    const turn = [
      { type: 'reasoning', id: 'rs_0', summary: [], encrypted_content: 'openai-responses:0.0:{}' },
      { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'Hm' }] },
      { type: 'reasoning', id: 'rs_2', summary: [] },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Let me ' }] },
      { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'not.' }] },
      { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'wx', arguments: '{"c"' },
      { type: 'function_call', call_id: 'call_2', name: 'wx', arguments: '{}' },
    ];
    const results = [
      { type: 'function_call_output', call_id: 'call_1', output: 'warm' },
      { type: 'function_call_output', call_id: 'call_2', output: [{ type: 'input_text', text: 'cold' }] },
    ];
    expect(history({ role: 'user', content: 'hi' }, ...turn, ...results)).toEqual([
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: 'Let me not.',
        reasoning: [{ text: '', signature: 'openai-responses:0.0:{}' }, { text: 'Hm' }],
        toolCalls: [
          { id: 'call_1', name: 'wx', arguments: '{"c"' },
          { id: 'call_2', name: 'wx', arguments: '{}' },
        ],
      },
      { role: 'tool', toolCallId: 'call_1', content: 'warm' },
      { role: 'tool', toolCallId: 'call_2', content: 'cold' },
    ]);
  });

  it('has the images of results behind all results', () => {
    const image = { type: 'input_image', image_url: 'https://example.com/a.png' };
    const messages = history(
      { type: 'function_call_output', call_id: 'a', output: [image] },
      { type: 'function_call_output', call_id: 'b', output: 'x' },
      { role: 'user', content: 'Go on.' },
    );
    expect(messages).toEqual([
      { role: 'tool', toolCallId: 'a', content: '[image: see below]' },
      { role: 'tool', toolCallId: 'b', content: 'x' },
      { role: 'user', content: [{ type: 'image', url: 'https://example.com/a.png' }] },
      { role: 'user', content: 'Go on.' },
    ]);
  });
});

describe('what the gateway cannot do', () => {
  it.each([
    ['no input', { model: 'm' }, /input: /],
    [
      'a stored response',
      { ...base, previous_response_id: 'resp_1' },
      /keeps no state; send the whole.*resp_1/,
    ],
    ['a stored conversation', { ...base, conversation: { id: 'c' } }, /conversation: .*keeps no state/],
    ['an answer for later', { ...base, background: true }, /background: .*stream the answer/],
    ['a stored prompt', { ...base, prompt: { id: 'p' } }, /prompt: /],
    ['logprobs', { ...base, include: ['message.output_text.logprobs'] }, /include\.0: .*no logprobs/],
    ['a field that nobody knows', { ...base, stop: ['a'] }, /does not know stop; leave it out/],
    [
      'a hosted tool',
      { ...base, tools: [{ type: 'web_search' }] },
      /tools\.0: web_search is a tool of OpenAI's/,
    ],
    [
      'a choice of a hosted tool',
      { ...base, tool_choice: { type: 'file_search' } },
      /tool_choice: .*takes auto/,
    ],
    [
      'an item that is only named',
      { ...base, input: [{ type: 'item_reference', id: 'msg_1' }] },
      /input\.0\.type: .*send the item itself.*store: false/,
    ],
    ['an item of a hosted tool', { ...base, input: [{ type: 'web_search_call' }] }, /got "web_search_call"/],
    [
      'a file',
      { ...base, input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] },
      /input\.0\.content\.0\.type: .*got "input_file"/,
    ],
    [
      'an image kept at OpenAI',
      { ...base, input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'f' }] }] },
      /image_url: .*keeps no files/,
    ],
  ])('is refused with its name: %s', (_, body, message) => {
    expect(() => readResponses(body)).toThrow(
      expect.objectContaining({ category: 'invalid_request', message: expect.stringMatching(message) }),
    );
  });

  it('is let be where nothing comes of it', () => {
    const include = ['reasoning.encrypted_content'];
    const harmless = { store: true, include, truncation: 'auto', user: 'u', background: false };
    expect(asked(harmless)).toEqual(asked({}));
  });
});
