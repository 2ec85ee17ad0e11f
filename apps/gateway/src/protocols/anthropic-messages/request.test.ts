import { describe, expect, it } from 'vitest';
import { readCountTokens, readMessages } from './request.ts';

const base = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] };
const asked = (fields: object) => readMessages({ ...base, ...fields }).request;
const history = (...messages: object[]) => asked({ messages }).messages;
const user = (...content: object[]) => history({ role: 'user', content });
const ephemeral = { type: 'ephemeral' };

describe('a request', () => {
  it('names model and bound, and asks for a stream', () => {
    const { model, stream, request } = readMessages({ ...base, stream: true });
    expect({ model, stream }).toEqual({ model: 'm', stream: true });
    expect(request).toEqual({ messages: [{ role: 'user', content: 'hi' }], maxTokens: 100 });
  });

  it('may leave the model to the gateway', () => {
    expect(readMessages({ ...base, model: undefined }).model).toBe('');
  });

  it('takes options, under the names of the gateway', () => {
    const options = {
      temperature: 0,
      top_p: 0.9,
      top_k: 5,
      stop_sequences: ['END'],
      service_tier: 'auto',
      metadata: { user_id: 'u1' },
      output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } },
    };
    expect(asked(options)).toMatchObject({
      temperature: 0,
      topP: 0.9,
      extra: { top_k: 5 },
      stop: ['END'],
      serviceTier: 'auto',
      metadata: { user_id: 'u1' },
      reasoning: { effort: 'low' },
      responseFormat: { type: 'json_schema', schema: { type: 'object' } },
    });
  });

  it('takes the older name of structured output', () => {
    const output_format = { type: 'json_schema', schema: { type: 'object' } };
    expect(asked({ output_format })).toMatchObject({ responseFormat: output_format });
  });

  it.each([
    [{ type: 'enabled', budget_tokens: 2048, display: 'omitted' }, { maxTokens: 2048 }],
    [{ type: 'adaptive' }, { effort: 'high' }],
    [{ type: 'disabled' }, { effort: 'none' }],
  ])('with thinking %j asks for reasoning %j', (thinking, reasoning) => {
    expect(asked({ thinking }).reasoning).toEqual(reasoning);
  });

  it('tells what it asks that is left out', () => {
    const tools = [{ name: 'wx', input_schema: {}, strict: true }];
    const left = { betas: ['a'], context_management: { edits: [] }, diagnostics: {} };
    expect(readMessages({ ...base, ...left, tools }).ignored).toEqual([
      'betas',
      'context_management',
      'tools.strict',
    ]);
    expect(readMessages({ ...base, metadata: { user_id: 'u' }, fallbacks: [] }).ignored).toEqual([]);
  });

  it('lets nothing hide a default that is null or left out', () => {
    const nothing = { system: null, tools: null, temperature: null, stream: null, thinking: undefined };
    expect(Object.keys(asked(nothing))).toEqual(['messages', 'maxTokens']);
  });

  it('is the same without a bound where tokens are counted', () => {
    const { max_tokens: _, ...counted } = base;
    expect(readCountTokens(counted)).toEqual({ model: 'm', request: { messages: asked({}).messages } });
  });
});

describe('tools', () => {
  const tool = { name: 'wx', description: 'Weather', input_schema: { type: 'object' }, strict: true };

  it('are functions with a schema', () => {
    expect(asked({ tools: [tool, { type: 'custom', name: 'b', input_schema: {} }] }).tools).toEqual([
      { name: 'wx', description: 'Weather', parameters: { type: 'object' } },
      { name: 'b', parameters: {} },
    ]);
  });

  it.each([
    [{ type: 'auto' }, { toolChoice: 'auto' }],
    [{ type: 'any' }, { toolChoice: 'required' }],
    [{ type: 'none' }, { toolChoice: 'none' }],
    [{ type: 'tool', name: 'wx' }, { toolChoice: { name: 'wx' } }],
    [
      { type: 'auto', disable_parallel_tool_use: true },
      { toolChoice: 'auto', parallelToolCalls: false },
    ],
  ])('are chosen by %j', (tool_choice, choice) => {
    expect(asked({ tools: [tool], tool_choice })).toMatchObject(choice);
  });
});

describe('a prompt cache', () => {
  it.each([
    ['at the top', { cache_control: ephemeral }],
    ['in the instructions', { system: [{ type: 'text', text: 'a', cache_control: ephemeral }] }],
    ['at a tool', { tools: [{ name: 'a', input_schema: {}, cache_control: ephemeral }] }],
    [
      'at a part of a tool result',
      {
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                tool_use_id: 't',
                content: [{ type: 'text', text: 'a', cache_control: ephemeral }],
              },
            ],
          },
        ],
      },
    ],
  ])('is asked for %s', (_, fields) => {
    expect(asked(fields).promptCache).toEqual({});
    expect(asked({}).promptCache).toBeUndefined();
  });

  it('keeps for the longest time that is asked for', () => {
    const system = [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } }];
    expect(asked({ system, cache_control: { type: 'ephemeral', ttl: '5m' } }).promptCache).toEqual({
      ttl: '1h',
    });
  });
});

describe('a conversation', () => {
  it('has its instructions in front, without what Claude Code tells the biller', () => {
    const system = [
      { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1; cch=eb6c6;' },
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Be kind.' },
    ];
    expect(asked({ system }).messages?.[0]).toEqual({ role: 'system', content: 'Be brief.\n\nBe kind.' });
    expect(asked({ system: 'Be brief.' }).messages?.[0]).toEqual({ role: 'system', content: 'Be brief.' });
  });

  it('may have instructions in its midst', () => {
    const messages = [...base.messages, { role: 'system', content: 'Be kind.' }];
    expect(history(...messages)?.[1]).toEqual({ role: 'system', content: 'Be kind.' });
  });

  it('shows images, inline and by URL', () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBOR' } },
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
    ];
    expect(user(...content)).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', url: 'data:image/png;base64,iVBOR' },
          { type: 'image', url: 'https://example.com/a.png' },
        ],
      },
    ]);
  });

  it('gives back thinking, text and calls of the model', () => {
    const content = [
      { type: 'thinking', thinking: 'Hm', signature: 'anthropic:0.0:sig' },
      { type: 'redacted_thinking', data: 'anthropic-redacted:0.0:x' },
      { type: 'thinking', thinking: 'local', signature: '' },
      { type: 'text', text: 'Let me ' },
      { type: 'text', text: 'look.' },
      { type: 'tool_use', id: 't1', name: 'wx', input: { c: 1 } },
    ];
    expect(history(...base.messages, { role: 'assistant', content })?.[1]).toEqual({
      role: 'assistant',
      content: 'Let me look.',
      reasoning: [
        { text: 'Hm', signature: 'anthropic:0.0:sig' },
        { text: '', signature: 'anthropic-redacted:0.0:x' },
        { text: 'local' },
      ],
      toolCalls: [{ id: 't1', name: 'wx', arguments: '{"c":1}', input: { c: 1 } }],
    });
  });

  it('has results of tools ahead of the words of their turn, and their images behind', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBOR' } };
    const turn = user(
      { type: 'text', text: 'Go on.' },
      { type: 'tool_result', tool_use_id: 't1', content: 'warm' },
      { type: 'tool_result', tool_use_id: 't2', content: [{ type: 'text', text: 'a' }, image] },
      { type: 'tool_result', tool_use_id: 't3', is_error: true },
    );
    expect(turn).toEqual([
      { role: 'tool', toolCallId: 't1', content: 'warm' },
      { role: 'tool', toolCallId: 't2', content: 'a\n[image: see below]' },
      { role: 'tool', toolCallId: 't3', content: '', isError: true },
      {
        role: 'user',
        content: [
          { type: 'image', url: 'data:image/png;base64,iVBOR' },
          { type: 'text', text: 'Go on.' },
        ],
      },
    ]);
  });
});

describe('what the gateway cannot do', () => {
  const document = { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } };

  it.each([
    ['no object', [], /give an object/],
    ['no bound', { ...base, max_tokens: undefined }, /max_tokens: .*give a number/],
    ['a bound of 0', { ...base, max_tokens: 0 }, /max_tokens: .*got 0/],
    ['a field that nobody knows', { ...base, sampler: 1 }, /does not know sampler; leave it out/],
    ['an MCP server', { ...base, mcp_servers: [{ url: 'https://x' }] }, /mcp_servers: .*call them yourself/],
    [
      'a server tool',
      { ...base, tools: [{ type: 'web_search_20250305', name: 'web_search' }] },
      /tools\.0: web_search \(web_search_20250305\) is a tool of Anthropic's own; leave it out/,
    ],
    [
      'a document',
      { ...base, messages: [{ role: 'user', content: [document] }] },
      /messages\.0\.content\.0\.type: .*text, image or tool_result here \(got "document"\)/,
    ],
    [
      'a file kept at Anthropic',
      { ...base, messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file' } }] }] },
      /source\.type: the gateway takes base64 or url here \(got "file"\)/,
    ],
    [
      'a call in a message of the user',
      { ...base, messages: [{ role: 'user', content: [{ type: 'tool_use', id: 'a' }] }] },
      /got "tool_use"/,
    ],
  ])('is refused with its name: %s', (_, body, message) => {
    expect(() => readMessages(body)).toThrow(
      expect.objectContaining({ category: 'invalid_request', message: expect.stringMatching(message) }),
    );
  });

  it('is let be where nothing comes of it', () => {
    const harmless = { context_management: { edits: [] }, mcp_servers: [], container: null, betas: ['x'] };
    expect(asked(harmless)).toEqual(asked({}));
  });
});
