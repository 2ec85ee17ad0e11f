import { describe, expect, it } from 'vitest';
import { readChat } from './request.ts';

const base = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const asked = (fields: object) => readChat({ ...base, ...fields }).request;
const history = (...messages: object[]) => asked({ messages }).messages;
const wx = {
  type: 'function',
  function: { name: 'wx', description: 'Weather', parameters: { type: 'object' } },
};

describe('a request', () => {
  it('names its model, and asks for a stream', () => {
    const { model, stream, request, ignored } = readChat({ ...base, stream: true });
    expect({ model, stream, ignored }).toEqual({ model: 'm', stream: true, ignored: [] });
    expect(request).toEqual({ messages: base.messages });
  });

  it('may leave the model to the gateway', () => {
    expect(readChat({ messages: base.messages }).model).toBe('');
  });

  it('gives the model those tools alone that are allowed', () => {
    const allowed = { mode: 'required', tools: [{ type: 'function', function: { name: 'wx' } }] };
    const { tools, toolChoice } = asked({
      tools: [wx, { type: 'function', function: { name: 'other' } }],
      tool_choice: { type: 'allowed_tools', allowed_tools: allowed },
    });
    expect(tools?.map(({ name }) => name)).toEqual(['wx']);
    expect(toolChoice).toBe('required');
  });

  it('may have a refusal in its history', () => {
    const refused = history({ role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] });
    expect(refused).toEqual([{ role: 'assistant', content: 'No.' }]);
  });

  it('takes options, under the names of the gateway', () => {
    const options = {
      max_completion_tokens: 100,
      temperature: 0,
      top_p: 0.9,
      seed: 7,
      stop: 'END',
      reasoning_effort: 'low',
      service_tier: 'flex',
      prompt_cache_key: 'k',
      tools: [wx],
      tool_choice: 'required',
      parallel_tool_calls: false,
    };
    expect(asked(options)).toEqual({
      messages: base.messages,
      maxTokens: 100,
      temperature: 0,
      topP: 0.9,
      seed: 7,
      stop: ['END'],
      reasoning: { effort: 'low' },
      serviceTier: 'flex',
      promptCache: { key: 'k' },
      tools: [wx.function],
      toolChoice: 'required',
      parallelToolCalls: false,
    });
  });

  it('takes the older name of the token limit, and the newer one over it', () => {
    expect(asked({ max_tokens: 5 }).maxTokens).toBe(5);
    expect(asked({ max_tokens: 5, max_completion_tokens: 6 }).maxTokens).toBe(6);
  });

  it('lets nothing hide a default that is null', () => {
    const nothing = { temperature: null, tools: null, stop: null, response_format: null, top_k: null };
    expect(Object.keys(asked(nothing))).toEqual(['messages']);
  });

  it('forces one tool by its name; a tool without parameters takes none', () => {
    const choice = { type: 'function', function: { name: 'now' } };
    const { tools, toolChoice } = asked({
      tools: [{ type: 'function', function: { name: 'now' } }],
      tool_choice: choice,
    });
    expect(toolChoice).toEqual({ name: 'now' });
    expect(tools).toEqual([{ name: 'now', parameters: { type: 'object', properties: {} } }]);
  });

  it.each([
    [{ type: 'text' }, { type: 'text' }],
    [{ type: 'json_object' }, { type: 'json' }],
    [
      { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } },
      { type: 'json_schema', name: 'a', schema: { type: 'object' }, strict: true },
    ],
  ])('with the format %j asks for %j', (response_format, responseFormat) => {
    expect(asked({ response_format }).responseFormat).toEqual(responseFormat);
  });
});

describe('parameters that the gateway has no word for', () => {
  it('go to the backend as they are, if they change the sampling', () => {
    const sampling = { frequency_penalty: 0.5, top_k: 0, grammar: 'root ::= "a"', logit_bias: { 5: -100 } };
    const { request, ignored } = readChat({ ...base, ...sampling });
    expect(request.extra).toEqual(sampling);
    expect(ignored).toEqual([]);
  });

  it('are named if they are left out', () => {
    const { request, ignored } = readChat({
      ...base,
      store: true,
      web_search_options: {},
      x: 1,
      tools: [{ ...wx, function: { ...wx.function, strict: true } }],
    });
    expect(ignored).toEqual(['store', 'web_search_options', 'x', 'tools.function.strict']);
    expect(request.extra).toBeUndefined();
  });

  it('are not named if an answer is as good without, or they ask nothing', () => {
    const harmless = { user: 'u', metadata: { a: 'b' }, safety_identifier: 's', store: false, audio: null };
    expect(readChat({ ...base, ...harmless, functions: [] }).ignored).toEqual([]);
  });
});

describe('a conversation', () => {
  it('has calls, their results, and thinking', () => {
    const call = { id: 'call_1', type: 'function', function: { name: 'wx', arguments: '{"c":1}' } };
    const messages = history(
      {
        role: 'developer',
        content: [
          { type: 'text', text: 'Be ' },
          { type: 'text', text: 'brief.' },
        ],
      },
      { role: 'assistant', content: null, reasoning_content: 'Hm', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: 'cold' }] },
      { role: 'assistant', content: 'Cold.' },
    );
    expect(messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      {
        role: 'assistant',
        content: '',
        reasoning: [{ text: 'Hm' }],
        toolCalls: [{ id: 'call_1', name: 'wx', arguments: '{"c":1}' }],
      },
      { role: 'tool', toolCallId: 'call_1', content: 'cold' },
      { role: 'assistant', content: 'Cold.' },
    ]);
  });

  it('has images, by address and as data', () => {
    const content = [
      { type: 'text', text: 'Compare.' },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
      { type: 'image_url', image_url: 'data:image/png;base64,AA==' },
    ];
    expect(history({ role: 'user', content })).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Compare.' },
          { type: 'image', url: 'https://example.com/a.png' },
          { type: 'image', url: 'data:image/png;base64,AA==' },
        ],
      },
    ]);
  });
});

describe('what cannot be done is refused, by the name of the field', () => {
  it.each([
    [{ messages: [] }, /messages/],
    [{ messages: [{ role: 'user' }] }, /messages\.0\.content: give a text/],
    [{ messages: [{ role: 'function', name: 'f', content: '' }] }, /messages\.0\.role/],
    [
      { messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] },
      /messages\.0\.content: give .* parts of type text and image_url/,
    ],
    [{ n: 2 }, /n is not supported.*one answer/],
    [{ logprobs: true }, /logprobs is not supported/],
    [{ temperature: 'hot' }, /temperature/],
    [{ max_tokens: 0 }, /max_tokens/],
    [{ tools: [{ type: 'custom', custom: { name: 'f' } }] }, /only tools of type "function"/],
    [{ response_format: { type: 'json_schema', json_schema: { name: 'a' } } }, /json_schema\.schema/],
  ])('%j', (fields, problem) => {
    expect(() => readChat({ ...base, ...fields })).toThrow(problem);
  });
});
