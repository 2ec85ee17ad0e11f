import { describe, expect, it } from 'vitest';
import { json } from '../../../../../test/scripted-server.ts';
import { infer, serving } from './__fixtures__/served.ts';
import type { AnthropicRequest } from './index.ts';

const { seen, sent, serve } = serving();

type Body = Record<string, unknown>;

describe('the call', () => {
  it('sends the least: no field that the caller left unset', async () => {
    const { body, headers } = await sent({}, { apiKey: 'k' });
    expect(body).toEqual({
      model: 'claude-x',
      max_tokens: 4096,
      stream: true,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    });
    expect(seen()[0]).toMatchObject({ method: 'POST', path: '/v1/messages' });
    expect(headers).toMatchObject({ 'anthropic-version': '2023-06-01', 'x-api-key': 'k' });
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('anthropic-beta');
  });

  it('takes version, betas, bearer auth and the default bound from the endpoint', async () => {
    const options = { version: '2024-01-02', beta: ['a-1', 'b-2'], auth: 'bearer', defaultMaxTokens: 9 };
    const { body, headers } = await sent({}, { apiKey: 'k', options });
    expect(body).toMatchObject({ max_tokens: 9 });
    expect(headers).toMatchObject({
      'anthropic-version': '2024-01-02',
      'anthropic-beta': 'a-1,b-2',
      authorization: 'Bearer k',
    });
    expect(headers).not.toHaveProperty('x-api-key');
  });

  it('names an option of the endpoint that it does not know', async () => {
    const { error } = await sent({}, { options: { auth: 'basic' } });
    expect(error).toMatchObject({ category: 'invalid_request', code: 'configuration' });
    expect(error?.message).toMatch(/options of endpoint claude: auth: .*got "basic"/);
  });

  it('sends what the caller sets under the API’s own names, and no seed', async () => {
    const { body } = await sent({
      model: 'other',
      maxTokens: 7,
      temperature: 0,
      topP: 0.5,
      stop: ['x'],
      seed: 1,
      serviceTier: 'standard_only',
      promptCache: { key: 'k', ttl: '1h' },
      extra: { top_k: 5, metadata: { user_id: 'u' } },
    });
    expect(body).toMatchObject({
      model: 'other',
      max_tokens: 7,
      temperature: 0,
      top_p: 0.5,
      stop_sequences: ['x'],
      service_tier: 'standard_only',
      cache_control: { type: 'ephemeral', ttl: '1h' },
      top_k: 5,
      metadata: { user_id: 'u' },
    });
    expect(body).not.toHaveProperty('seed');
  });

  it.each<[string, Partial<AnthropicRequest>]>([
    ['raw prompt', { prompt: 'Once' }],
    ['responseFormat json', { responseFormat: { type: 'json' } }],
  ])('says that %s is unsupported', async (what, request) => {
    const { error } = await sent(request);
    expect(error).toMatchObject({ category: 'invalid_request', code: 'unsupported' });
    expect(error?.message).toContain(what);
    expect(seen()).toHaveLength(0);
  });

  it('says that no model is named', async () => {
    const { name, backendKind, baseUrl } = await serve(json(200, {}));
    expect((await infer({ name, backendKind, baseUrl })).error?.message).toContain('no model is named');
  });
});

describe('tools and format', () => {
  const tools = [{ name: 'wx', description: 'd', parameters: { properties: {} } }];

  it('sends tools without a function wrapper, their schema always an object, behind them those of extra', async () => {
    const search = { type: 'web_search_20250305', name: 'web_search' };
    const { body } = await sent({ tools, extra: { tools: [search] } });
    const schema = { type: 'object', properties: {} };
    expect(body['tools']).toEqual([{ name: 'wx', description: 'd', input_schema: schema }, search]);
    expect(body).not.toHaveProperty('tool_choice');
  });

  it.each<[Partial<AnthropicRequest>, object]>([
    [{ toolChoice: 'auto' }, { type: 'auto' }],
    [{ toolChoice: 'none', parallelToolCalls: false }, { type: 'none' }],
    [{ toolChoice: 'required' }, { type: 'any' }],
    [{ toolChoice: { name: 'wx' } }, { type: 'tool', name: 'wx' }],
    [{ parallelToolCalls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [
      { toolChoice: 'required', parallelToolCalls: false },
      { type: 'any', disable_parallel_tool_use: true },
    ],
  ])('maps the choice %j', async (request, choice) => {
    expect((await sent({ tools, ...request })).body['tool_choice']).toEqual(choice);
  });

  it('puts a schema and the effort into one output_config, with what extra adds', async () => {
    const schema = { type: 'object' };
    const { body } = await sent({
      responseFormat: { type: 'json_schema', name: 'n', schema, strict: true },
      reasoning: { effort: 'high' },
      extra: { output_config: { effort: 'max' } },
    });
    expect(body['output_config']).toEqual({ effort: 'max', format: { type: 'json_schema', schema } });
  });
});

describe('reasoning', () => {
  it.each<[NonNullable<AnthropicRequest['reasoning']>, Body]>([
    [{ effort: 'none' }, { thinking: { type: 'disabled' } }],
    [{ effort: 'minimal' }, { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }],
    [{ effort: 'xhigh' }, { thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } }],
    [{ maxTokens: 1024 }, { thinking: { type: 'enabled', budget_tokens: 1024 } }],
  ])('%j is sent as %j', async (reasoning, fields) => {
    const { thinking: sentThinking, output_config } = (await sent({ reasoning })).body;
    expect({ thinking: sentThinking, output_config }).toEqual({ output_config: undefined, ...fields });
  });

  it.each([1023, 4096])('refuses a budget of %i, naming it and maxTokens', async budget => {
    const { error } = await sent({ reasoning: { maxTokens: budget } });
    expect(error?.category).toBe('invalid_request');
    expect(error?.message).toContain(`reasoning.maxTokens is ${budget} and maxTokens 4096`);
  });

  it('leaves the last word to extra.thinking', async () => {
    const extra = { thinking: { type: 'adaptive' as const, display: 'omitted' as const } };
    const { body } = await sent({ reasoning: { maxTokens: 1 }, extra });
    expect(body['thinking']).toEqual(extra.thinking);
  });
});
