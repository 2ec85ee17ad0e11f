import { describe, expect, it } from 'vitest';
import { serving } from './__fixtures__/served.ts';

const { seen, sent } = serving();

const tools = [{ name: 'wx', description: 'Weather', parameters: { type: 'object' } }];
const schema = { type: 'object', properties: {} };

describe('a request', () => {
  it('that says nothing sends nothing but the model, the input, and that nothing is stored', async () => {
    const { body, headers } = await sent({}, { apiKey: 'k' });
    expect(body).toEqual({
      model: 'gpt-x',
      input: [{ role: 'user', content: 'hi' }],
      stream: true,
      store: false,
      include: ['reasoning.encrypted_content'],
    });
    expect(headers).toMatchObject({ authorization: 'Bearer k' });
    expect(seen()[0]?.path).toBe('/v1/responses');
  });

  it('has the API’s own names for the common options', async () => {
    const { body } = await sent({
      model: 'other',
      maxTokens: 99,
      temperature: 0.5,
      topP: 0.9,
      serviceTier: 'flex',
      promptCache: { key: 'k1', ttl: '1h' },
      reasoning: { effort: 'low', maxTokens: 5 },
      stream: false,
      seed: 7,
    });
    expect(body).toMatchObject({
      model: 'other',
      max_output_tokens: 99,
      temperature: 0.5,
      top_p: 0.9,
      service_tier: 'flex',
      prompt_cache_key: 'k1',
      reasoning: { effort: 'low' },
      stream: false,
    });
    expect(Object.keys(body)).not.toContain('seed');
    expect(Object.keys(body)).not.toContain('stream_options');
  });

  it('has tools and tool_choice flat, and says strict: false, for the API’s default is strict', async () => {
    const { body } = await sent({ tools, toolChoice: { name: 'wx' }, parallelToolCalls: false });
    expect(body).toMatchObject({ parallel_tool_calls: false });
    expect(body['tools']).toEqual([{ type: 'function', ...tools[0], strict: false }]);
    expect(body['tool_choice']).toEqual({ type: 'function', name: 'wx' });
  });

  it.each(['auto', 'none', 'required'] as const)('has tool_choice %s as a word', async toolChoice => {
    expect((await sent({ tools, toolChoice })).body).toMatchObject({ tool_choice: toolChoice });
  });

  it('has no tool_choice without tools', async () => {
    const { body } = await sent({ toolChoice: 'auto', parallelToolCalls: true, tools: [] });
    expect(body).not.toHaveProperty('tool_choice');
    expect(body).not.toHaveProperty('parallel_tool_calls');
  });

  it('is an error when toolChoice names what is not among tools', async () => {
    const { error } = await sent({ tools, toolChoice: { name: 'nope' } });
    expect(error).toMatchObject({ category: 'invalid_request', message: expect.stringContaining('wx') });
    expect(seen()).toEqual([]);
  });

  it('has the structured output flat in text.format', async () => {
    const strict = await sent({
      responseFormat: { type: 'json_schema', name: 'n', schema, strict: true },
      extra: { text: { verbosity: 'low' } },
    });
    expect(strict.body['text']).toEqual({
      format: { type: 'json_schema', name: 'n', schema, strict: true },
      verbosity: 'low',
    });
    const unnamed = await sent({ responseFormat: { type: 'json_schema', schema } });
    expect(unnamed.body['text']).toEqual({ format: { type: 'json_schema', name: 'answer', schema } });
    const json = await sent({ responseFormat: { type: 'json' } });
    expect(json.body['text']).toEqual({ format: { type: 'json_object' } });
    const text = await sent({ responseFormat: { type: 'text' } });
    expect(text.body).not.toHaveProperty('text');
  });

  it('does not ask for encrypted thinking when OpenAI stores it', async () => {
    const { body } = await sent({ extra: { store: true } });
    expect(body).toMatchObject({ store: true });
    expect(body).not.toHaveProperty('include');
  });

  it('joins extra: tools and includes are added, reasoning field by field, the rest as it is', async () => {
    const { body } = await sent({
      tools,
      reasoning: { effort: 'high' },
      extra: {
        tools: [{ type: 'web_search' }],
        include: ['web_search_call.results', 'reasoning.encrypted_content'],
        reasoning: { summary: 'auto' },
        truncation: 'auto',
        brand_new: 1,
      },
    });
    expect(body).toMatchObject({
      tools: [{ name: 'wx' }, { type: 'web_search' }],
      include: ['reasoning.encrypted_content', 'web_search_call.results'],
      reasoning: { effort: 'high', summary: 'auto' },
      truncation: 'auto',
      brand_new: 1,
    });
  });

  it.each([
    [{ prompt: 'Once' }, 'raw prompt'],
    [{ stop: ['END'] }, 'stop sequences'],
  ])('with %j is unsupported: the API has no %s', async (request, what) => {
    const { error } = await sent(request);
    expect(error).toMatchObject({
      category: 'invalid_request',
      code: 'unsupported',
      message: expect.stringContaining(what),
    });
    expect(seen()).toEqual([]);
  });

  it('takes an empty stop for none', async () => {
    expect((await sent({ stop: [] })).error).toBeUndefined();
  });

  it('refuses endpoint options that it does not know', async () => {
    const { error } = await sent({}, { options: { organisation: 'o' } });
    expect(error).toMatchObject({ category: 'invalid_request', code: 'configuration' });
  });
});
