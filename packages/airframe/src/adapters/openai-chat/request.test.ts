import { describe, expect, it } from 'vitest';
import { GENERIC, PROFILES, type Profile } from './profiles.ts';
import { inferenceCall, type OpenAIChatRequest } from './request.ts';

const messages = [{ role: 'user' as const, content: 'hi' }];
const tools = ['a', 'b'].map(name => ({ name, parameters: { type: 'object' } }));

/** The body for a chat; what is not given is a plain one. */
function bodyOf(profile: Profile, request: Partial<OpenAIChatRequest> = {}): Record<string, unknown> {
  const whole = { messages, ...request } as OpenAIChatRequest;
  return inferenceCall(whole, profile, 'm', {}).body;
}

describe('the body', () => {
  it('leaves out what is not set and sends no null', () => {
    expect(bodyOf(PROFILES.openai)).toEqual({
      model: 'm',
      stream: true,
      stream_options: { include_usage: true },
      messages,
    });
    expect(bodyOf(PROFILES.mistral, { stream: false })).toEqual({ model: 'm', stream: false, messages });
  });

  it('has OpenAI’s names for everything', () => {
    const body = bodyOf(PROFILES.openai, {
      temperature: 0,
      topP: 0.5,
      maxTokens: 9,
      stop: ['x'],
      seed: 1,
      tools,
      toolChoice: { name: 'b' },
      parallelToolCalls: false,
      responseFormat: { type: 'json_schema', schema: { type: 'object' }, strict: true },
      reasoning: { effort: 'low' },
      promptCache: { key: 'k' },
      serviceTier: 'flex',
      extra: { verbosity: 'low', logit_bias: { 7: -1 } },
    });
    expect(body).toMatchObject({
      temperature: 0,
      top_p: 0.5,
      max_completion_tokens: 9,
      stop: ['x'],
      seed: 1,
      tools: [{ type: 'function', function: tools[0] }, { function: tools[1] }],
      tool_choice: { type: 'function', function: { name: 'b' } },
      parallel_tool_calls: false,
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
      },
      reasoning_effort: 'low',
      prompt_cache_key: 'k',
      service_tier: 'flex',
      verbosity: 'low',
      logit_bias: { 7: -1 },
    });
    expect(body).not.toHaveProperty('max_tokens');
  });

  it('keeps from a server what it would refuse or ignore', () => {
    const body = bodyOf(PROFILES.mistral, {
      maxTokens: 9,
      seed: 1,
      serviceTier: 'flex',
      promptCache: { key: 'k' },
      tools,
      toolChoice: 'required',
    });
    expect(body).toMatchObject({ max_tokens: 9, random_seed: 1, tool_choice: 'any' });
    for (const field of [
      'seed',
      'service_tier',
      'prompt_cache_key',
      'stream_options',
      'max_completion_tokens',
    ])
      expect(body).not.toHaveProperty(field);
    expect(bodyOf(GENERIC, { tools, parallelToolCalls: false })).not.toHaveProperty('parallel_tool_calls');
    const format = { type: 'json_schema' as const, name: 'n', schema: {}, strict: true };
    expect(bodyOf(PROFILES.ollama, { responseFormat: format })['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'n', schema: {} },
    });
  });

  it('gives Ollama max_tokens, for it ignores max_completion_tokens without a word', () => {
    const body = bodyOf(PROFILES.ollama, { maxTokens: 9, reasoning: { effort: 'none' } });
    expect(body).toMatchObject({ max_tokens: 9, reasoning_effort: 'none' });
    expect(body).not.toHaveProperty('max_completion_tokens');
  });

  it('lets `extra` have the last word', () => {
    expect(bodyOf(GENERIC, { temperature: 1, extra: { temperature: 0.3 } })['temperature']).toBe(0.3);
  });

  it('asks for JSON without a schema', () => {
    expect(bodyOf(GENERIC, { responseFormat: { type: 'json' } })['response_format']).toEqual({
      type: 'json_object',
    });
    expect(bodyOf(GENERIC, { responseFormat: { type: 'text' } })).not.toHaveProperty('response_format');
  });

  it('sends parallel_tool_calls and tool_choice only together with tools', () => {
    const body = bodyOf(PROFILES.openai, { parallelToolCalls: false, toolChoice: 'none' });
    expect(Object.keys(body)).toEqual(['model', 'stream', 'stream_options', 'messages']);
  });

  it('offers a forced tool alone where tool_choice cannot name it', () => {
    expect(bodyOf(PROFILES.lmstudio, { tools, toolChoice: { name: 'b' } })).toMatchObject({
      tools: [{ function: { name: 'b' } }],
      tool_choice: 'required',
    });
  });

  it('leaves the tools out for `none` where tool_choice is ignored', () => {
    expect(bodyOf(PROFILES.ollama, { tools, toolChoice: 'none' })).not.toHaveProperty('tools');
    expect(bodyOf(PROFILES.openai, { tools, toolChoice: 'none' })).toMatchObject({ tool_choice: 'none' });
  });

  it('names a forced tool that is not there', () => {
    expect(() => bodyOf(GENERIC, { tools, toolChoice: { name: 'z' } })).toThrow(
      'toolChoice names z, which is not among tools: a, b',
    );
  });

  it('sends a raw prompt to /completions with the older limit', () => {
    const request = { prompt: 'Once', maxTokens: 5 };
    expect(inferenceCall(request, PROFILES.openai, 'm', {})).toMatchObject({
      path: '/completions',
      body: { prompt: 'Once', max_tokens: 5 },
    });
    expect(() => inferenceCall(request, PROFILES.groq, 'm', {})).toThrow(
      /no route for a raw prompt; send messages/,
    );
  });
});

describe('images', () => {
  const withImage = (url: string) => [{ role: 'user' as const, content: [{ type: 'image' as const, url }] }];

  it('go as image_url objects', () => {
    expect(bodyOf(GENERIC, { messages: withImage('https://x/y.png') })['messages']).toEqual([
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/y.png' } }] },
    ]);
  });

  it('have to be inline for a server that fetches nothing', () => {
    expect(() => bodyOf(PROFILES.ollama, { messages: withImage('https://x/y.png') })).toThrow(
      /fetches no images \(got https:\/\/x\/y.png\); send the image as a data: URL/,
    );
    expect(() =>
      bodyOf(PROFILES.ollama, { messages: withImage('data:image/png;base64,AA==') }),
    ).not.toThrow();
  });
});

describe('reasoning', () => {
  it.each([
    ['openai', { effort: 'high', maxTokens: 9 }, { reasoning_effort: 'high' }],
    ['openrouter', { effort: 'high' }, { reasoning: { effort: 'high' } }],
    ['openrouter', { effort: 'high', maxTokens: 9 }, { reasoning: { max_tokens: 9 } }],
    ['openrouter', {}, {}],
    ['deepseek', { effort: 'none' }, { thinking: { type: 'disabled' } }],
    ['deepseek', { effort: 'max' }, { reasoning_effort: 'max' }],
  ] as const)('%s is asked for %j with %j', (name, reasoning, expected) => {
    const {
      model: _,
      stream: __,
      stream_options: ___,
      messages: ____,
      ...rest
    } = bodyOf(PROFILES[name], { reasoning });
    expect(rest).toEqual(expected);
  });
});
