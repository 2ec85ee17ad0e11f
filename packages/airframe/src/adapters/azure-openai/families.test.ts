import { describe, expect, it } from 'vitest';
import { endpointAt, sent } from './__fixtures__/sent.ts';

const RES = 'https://res.openai.azure.com';
const FOUNDRY = 'https://res.services.ai.azure.com';
const SERVERLESS = 'https://m.eastus2.inference.ai.azure.com';
const V1 = `${RES}/openai/v1/chat/completions`;
const LEGACY = `${RES}/openai/deployments/dep/chat/completions?api-version=2024-02-01`;
const MODELS = `${FOUNDRY}/models/chat/completions?api-version=2024-05-01-preview`;

const urlOf = async (baseUrl: string, options?: Record<string, unknown>) =>
  (await sent(endpointAt(baseUrl, options ? { options } : {}))).url;

describe('an endpoint as users paste it', () => {
  it.each([
    [RES, V1],
    [`${RES}/`, V1],
    [`${RES}/openai/v1`, V1],
    [`${RES}/openai/v1/`, V1],
    [`${RES}/openai/v1/chat/completions`, V1],
    [`${FOUNDRY}/openai/v1/`, `${FOUNDRY}/openai/v1/chat/completions`],
    ['https://gw.example.com/team/openai/v1', 'https://gw.example.com/team/openai/v1/chat/completions'],
    [`${RES}/openai/deployments/dep`, LEGACY],
    [`${RES}/openai/deployments/dep/chat/completions/`, LEGACY],
    [`${FOUNDRY}/models`, MODELS],
    [`${FOUNDRY}/models/chat/completions`, MODELS],
    [SERVERLESS, `${SERVERLESS}/chat/completions?api-version=2024-05-01-preview`],
    [`${SERVERLESS}/chat/completions`, `${SERVERLESS}/chat/completions?api-version=2024-05-01-preview`],
  ])('%s is called at %s', async (baseUrl, url) => {
    expect(await urlOf(baseUrl)).toBe(url);
  });

  it('with its query is a mistake in the configuration that does not show the query', async () => {
    const { url, error } = await sent(endpointAt(`${RES}/openai/v1?api-key=hunter3`));
    expect(url).toBeUndefined();
    expect(error).toMatchObject({ category: 'invalid_request', code: 'configuration' });
    expect(error?.message).toMatch(/baseUrl: holds a query/);
    expect(error?.message).not.toContain('hunter3');
  });
});

describe('the family', () => {
  it.each([
    [{ deployment: 'dep' }, LEGACY],
    [{ apiVersion: '2024-02-01' }, LEGACY],
    [{ family: 'deployments' }, LEGACY],
    [{ family: 'auto', deployment: 'dep' }, LEGACY],
    [{ family: 'v1', deployment: 'dep' }, V1],
    [{ apiVersion: 'preview' }, `${V1}?api-version=preview`],
    [{ family: 'models' }, MODELS.replace(FOUNDRY, RES)],
  ])('of a bare resource with %j', async (options, url) => {
    expect(await urlOf(RES, options)).toBe(url);
  });

  it('given by name comes before what the address says', async () => {
    expect(await urlOf(`${RES}/openai/v1/`, { family: 'deployments' })).toBe(LEGACY);
    expect(await urlOf(`${RES}/openai/deployments/other/`, { family: 'v1' })).toBe(V1);
  });

  it('v1 is recognised although a deployment is named, and needs no api-version', async () => {
    expect(await urlOf(`${RES}/openai/v1/`, { deployment: 'dep' })).toBe(V1);
  });
});

describe('the deployment', () => {
  it('stands in the path on legacy, URL-encoded, and not in the body', async () => {
    const { url, body } = await sent(endpointAt(RES, { options: { deployment: 'a b/ü' } }));
    expect(url).toBe(`${RES}/openai/deployments/a%20b%2F%C3%BC/chat/completions?api-version=2024-02-01`);
    expect(body).not.toHaveProperty('model');
  });

  it('is the model in the body on v1 and models, as it is written', async () => {
    expect((await sent(endpointAt(`${RES}/openai/v1`, { model: 'My-Dep' }))).body).toMatchObject({
      model: 'My-Dep',
    });
    expect((await sent(endpointAt(`${FOUNDRY}/models`, { model: 'My-Dep' }))).body).toMatchObject({
      model: 'My-Dep',
    });
  });

  it('of the options comes before the model of the request, and that before the endpoint’s', async () => {
    const v1 = `${RES}/openai/v1`;
    const fixed = endpointAt(v1, { options: { deployment: 'fixed' } });
    expect((await sent(fixed, { model: 'gpt-x' })).body).toMatchObject({ model: 'fixed' });
    expect((await sent(endpointAt(v1), { model: 'gpt-x' })).body).toMatchObject({ model: 'gpt-x' });
  });

  it('cannot lead out of its place in the path', async () => {
    const endpoint = endpointAt(RES, { options: { family: 'deployments' } });
    expect(await sent(endpoint, { model: '..' })).toMatchObject({
      url: undefined,
      error: { category: 'invalid_request' },
    });
    const { url } = await sent(endpoint, { model: '../../x?y#z' });
    expect(url).toContain('/openai/deployments/..%2F..%2Fx%3Fy%23z/chat/completions?api-version=');
  });

  it.each([[`${RES}/openai/v1`], [`${FOUNDRY}/models`], [`${RES}/openai/deployments`]])(
    'missing at %s is a mistake in the configuration',
    async baseUrl => {
      const { model: _, ...endpoint } = endpointAt(baseUrl);
      expect((await sent(endpoint)).error).toMatchObject({
        code: 'configuration',
        remedy: expect.stringContaining('options.deployment'),
      });
    },
  );

  it('may be missing at a serverless endpoint, which has one model', async () => {
    const { model: _, ...endpoint } = endpointAt(SERVERLESS);
    const { error, body } = await sent(endpoint);
    expect(error).toBeUndefined();
    expect(body).not.toHaveProperty('model');
  });
});

describe('a raw prompt', () => {
  it('goes to /completions of the deployment', async () => {
    const { url } = await sent(endpointAt(RES, { options: { deployment: 'dep' } }), { prompt: 'a' });
    expect(url).toBe(LEGACY.replace('/chat', ''));
  });

  it('has no route in the models family', async () => {
    const { error } = await sent(endpointAt(`${FOUNDRY}/models`), { prompt: 'a' });
    expect(error).toMatchObject({ category: 'invalid_request', retryable: false });
  });
});

describe('options', () => {
  it.each([
    [{ apiVersion: 'yesterday' }, /apiVersion: not an api-version.*got "yesterday"/],
    [{ family: 'legacy' }, /family: .*got "legacy"/],
    [{ deploymnet: 'dep' }, /deploymnet/],
    [{ deployment: '' }, /deployment: /],
    [{ maxTokensField: 'max' }, /maxTokensField: /],
  ])('%j are refused before anything is sent', async (options, said) => {
    const { url, error } = await sent(endpointAt(RES, { options }));
    expect(url).toBeUndefined();
    expect(error).toMatchObject({ category: 'invalid_request', code: 'configuration' });
    expect(error?.message).toMatch(said);
  });
});
