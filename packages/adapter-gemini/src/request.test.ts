import { describe, expect, it } from 'vitest';
import { infer, serving } from './__fixtures__/served.ts';
import type { GeminiRequest } from './index.ts';

const { seen, sent, serve } = serving();

const config = async (request: Partial<GeminiRequest>, model = 'gemini-3-flash') =>
  (await sent({ ...request, model })).body['generationConfig'];

describe('the call', () => {
  it('streams from the model of the request, or else of the endpoint', async () => {
    expect((await sent({})).path).toBe('/v1beta/models/gemini-3-flash:streamGenerateContent?alt=sse');
    expect((await sent({ model: 'a b?' })).path).toContain('/models/a%20b%3F:stream');
    expect((await sent({ model: 'tunedModels/x' })).path).toContain('/v1beta/tunedModels/x:stream');
  });

  it('takes the version of the API from the endpoint, and refuses what is none', async () => {
    expect((await sent({}, { options: { version: 'v1' } })).path).toContain('/v1/models/');
    const { error } = await sent({}, { options: { version: '../x' } });
    expect(error).toMatchObject({ category: 'invalid_request', code: 'configuration' });
    expect(seen()).toHaveLength(0);
  });

  it('carries the key in a header and nowhere else', async () => {
    const { path, headers, body } = await sent({}, { apiKey: 'AIza-secret' });
    expect(headers).toMatchObject({ 'x-goog-api-key': 'AIza-secret' });
    expect(path + JSON.stringify(body)).not.toContain('secret');
  });

  it('takes a bearer token from the headers of the endpoint', async () => {
    const { headers } = await sent({}, { headers: { authorization: 'Bearer t' } });
    expect(headers).toMatchObject({ authorization: 'Bearer t' });
    expect(headers).not.toHaveProperty('x-goog-api-key');
  });

  it('needs a model and messages', async () => {
    const { model: _, ...unnamed } = await serve();
    expect((await infer(unnamed)).error).toMatchObject({
      category: 'invalid_request',
      message: expect.stringContaining('set model'),
    });
    const { error } = await sent({ prompt: 'x' });
    expect(error).toMatchObject({ category: 'invalid_request', code: 'unsupported' });
  });

  it('sends nothing that was not said', async () => {
    expect((await sent({})).body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] });
  });

  it('sends each common option under the API’s name', async () => {
    const request = { temperature: 0, topP: 0.5, maxTokens: 9, stop: ['x'], seed: 7, serviceTier: 'flex' };
    expect((await sent(request)).body).toMatchObject({
      generationConfig: { temperature: 0, topP: 0.5, maxOutputTokens: 9, stopSequences: ['x'], seed: 7 },
      serviceTier: 'flex',
    });
  });

  it('lets extra have the last word, field by field in generationConfig', async () => {
    const extra = {
      generationConfig: { topK: 4, seed: 8 },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      cachedContent: 'cachedContents/c',
    };
    expect((await sent({ temperature: 1, seed: 7, extra })).body).toMatchObject({
      ...extra,
      generationConfig: { temperature: 1, topK: 4, seed: 8 },
    });
  });
});

describe('the format', () => {
  it('is JSON, with a JSON Schema or without', async () => {
    const schema = { type: 'object', properties: { a: { type: ['string', 'null'] } } };
    expect(await config({ responseFormat: { type: 'json_schema', schema } })).toEqual({
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
    });
    expect(await config({ responseFormat: { type: 'json' } })).toEqual({
      responseMimeType: 'application/json',
    });
    expect(await config({ responseFormat: { type: 'text' } })).toBeUndefined();
  });
});

describe('tools', () => {
  const tools = [{ name: 'wx', description: 'Weather', parameters: { type: 'object' } }];

  it('are declared with JSON Schema, before those of the API itself', async () => {
    const { body } = await sent({ tools, extra: { tools: [{ googleSearch: {} }] } });
    expect(body['tools']).toEqual([
      {
        functionDeclarations: [
          { name: 'wx', description: 'Weather', parametersJsonSchema: { type: 'object' } },
        ],
      },
      { googleSearch: {} },
    ]);
    expect(body).not.toHaveProperty('toolConfig');
  });

  it.each([
    ['auto', { mode: 'AUTO' }],
    ['none', { mode: 'NONE' }],
    ['required', { mode: 'ANY' }],
    [{ name: 'wx' }, { mode: 'ANY', allowedFunctionNames: ['wx'] }],
  ] as const)('are chosen: %j', async (toolChoice, functionCallingConfig) => {
    expect((await sent({ tools, toolChoice })).body['toolConfig']).toEqual({ functionCallingConfig });
  });

  it('are not chosen from when there are none', async () => {
    expect((await sent({ toolChoice: 'none' })).body).not.toHaveProperty('toolConfig');
  });
});

describe('thinking', () => {
  it.each([
    ['minimal', 'MINIMAL', 1024],
    ['low', 'LOW', 1024],
    ['medium', 'MEDIUM', 8192],
    ['high', 'HIGH', 24_576],
    ['max', 'HIGH', 24_576],
  ] as const)('%s is a level since Gemini 3 and a budget before', async (effort, thinkingLevel, budget) => {
    const since = { thinkingConfig: { thinkingLevel, includeThoughts: true } };
    const before = { thinkingConfig: { thinkingBudget: budget, includeThoughts: true } };
    expect(await config({ reasoning: { effort } })).toEqual(since);
    expect(await config({ reasoning: { effort } }, 'gemini-flash-latest')).toEqual(since);
    expect(await config({ reasoning: { effort } }, 'gemini-2.5-flash')).toEqual(before);
  });

  it('none turns it off, or as far down as it goes', async () => {
    const reasoning = { effort: 'none' } as const;
    expect(await config({ reasoning }, 'gemini-2.5-flash')).toEqual({
      thinkingConfig: { thinkingBudget: 0, includeThoughts: false },
    });
    expect(await config({ reasoning })).toEqual({
      thinkingConfig: { thinkingLevel: 'MINIMAL', includeThoughts: false },
    });
  });

  it('takes a budget over an effort, for the API refuses both', async () => {
    expect(await config({ reasoning: { effort: 'low', maxTokens: 99 } })).toEqual({
      thinkingConfig: { thinkingBudget: 99, includeThoughts: true },
    });
    expect(await config({ reasoning: {} })).toEqual({ thinkingConfig: { includeThoughts: true } });
  });
});
