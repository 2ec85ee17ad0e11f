import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it, onTestFinished } from 'vitest';
import { scriptedServer } from '../../../../test/scripted-server.ts';
import { hashOf } from '../../src/auth/keys.ts';
import { helloReply, scriptOf } from '../kinds.ts';
import { runGateway } from '../running-gateway.ts';

const ALL = 'xg-key-for-all-models';
const SOME = 'xg-key-for-some-models';
const OLD = 'xg-key-that-has-expired';

async function gateway() {
  const upstream = await scriptedServer(scriptOf('openai-chat', helloReply));
  onTestFinished(() => upstream.close());
  const running = await runGateway({
    providers: {
      up: { type: 'openai', baseUrl: `${upstream.url}/v1`, apiKey: 'sk-of-ours', expose: ['a/1', 'a/2'] },
    },
    models: {
      fast: { targets: [{ provider: 'up', model: 'up-model' }], description: 'The fast one' },
      slow: { targets: [{ provider: 'up', model: 'up-model-slow' }] },
    },
    defaultModel: 'fast',
    keys: [
      { name: 'all', hash: hashOf(ALL) },
      { name: 'some', hash: hashOf(SOME), models: ['slow', 'up/*'] },
      { name: 'old', hash: hashOf(OLD), expires: '2020-01-31' },
    ],
  });
  const openai = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${running.url}/v1`, maxRetries: 0 });
  const anthropic = (apiKey: string) => new Anthropic({ apiKey, baseURL: running.url, maxRetries: 0 });
  return { upstream, openai, anthropic };
}

const messages = [{ role: 'user' as const, content: 'Hi' }];

describe('models', () => {
  it('are listed for openai-node, and found by their ids, slashes and all', async () => {
    const { openai } = await gateway();
    const ids: string[] = [];
    for await (const model of openai(ALL).models.list()) ids.push(model.id);
    expect(ids).toEqual(['fast', 'slow', 'up/a/1', 'up/a/2']);
    for (const id of ids) {
      expect(await openai(ALL).models.retrieve(id)).toMatchObject({ id, object: 'model', owned_by: 'up' });
    }
    await expect(openai(ALL).models.retrieve('other')).rejects.toThrow(OpenAI.NotFoundError);
  });

  it('are listed for the Anthropic SDK', async () => {
    const { anthropic } = await gateway();
    const names: string[] = [];
    for await (const model of anthropic(ALL).models.list()) names.push(model.display_name);
    expect(names).toEqual(['The fast one', 'slow', 'up/a/1', 'up/a/2']);
    expect(await anthropic(ALL).models.retrieve('fast')).toMatchObject({ id: 'fast', type: 'model' });
  });

  it('have a default, for a client that names none', async () => {
    const { openai, upstream } = await gateway();
    await openai(ALL).responses.create({ input: 'Hi' });
    expect(upstream.seen[0]?.body).toMatchObject({ model: 'up-model' });
  });
});

describe('a key', () => {
  it('sees and asks its own models alone', async () => {
    const { openai, anthropic, upstream } = await gateway();
    const { data } = await openai(SOME).models.list();
    expect(data.map(({ id }) => id)).toEqual(['slow', 'up/a/1', 'up/a/2']);
    await expect(openai(SOME).models.retrieve('fast')).rejects.toThrow(OpenAI.NotFoundError);
    for (const model of ['slow', 'up/a/2']) {
      await openai(SOME).chat.completions.create({ model, messages });
    }
    const asked = { model: 'fast', max_tokens: 9, messages };
    const { chat, responses, completions, embeddings } = openai(SOME);
    for (const refused of [
      chat.completions.create({ model: 'fast', messages }),
      responses.create({ input: 'Hi' }),
      completions.create({ model: 'fast', prompt: 'Hi' }),
      embeddings.create({ model: 'fast', input: 'Hi' }),
    ]) {
      await expect(refused).rejects.toThrow(OpenAI.PermissionDeniedError);
      await expect(refused).rejects.toThrow(/key some may not use the model "fast"/);
    }
    for (const refused of [
      anthropic(SOME).messages.create(asked),
      anthropic(SOME).messages.countTokens({ model: 'fast', messages }),
    ]) {
      await expect(refused).rejects.toThrow(Anthropic.PermissionDeniedError);
    }
    expect(upstream.seen.map(({ body }) => (body as { model: string }).model)).toEqual([
      'up-model-slow',
      'a/2',
    ]);
  });

  it('is good no more once its time is over', async () => {
    const { openai } = await gateway();
    await expect(openai(OLD).models.list()).rejects.toThrow(OpenAI.AuthenticationError);
  });

  it('stays with the gateway, which shows its own to the upstream', async () => {
    const { openai, anthropic, upstream } = await gateway();
    await openai(ALL).chat.completions.create({ model: 'fast', messages });
    await anthropic(ALL).messages.create({ model: 'fast', max_tokens: 9, messages });
    for (const { headers } of upstream.seen) {
      expect(headers.authorization).toBe('Bearer sk-of-ours');
      expect(JSON.stringify(headers)).not.toContain(ALL);
    }
  });
});
