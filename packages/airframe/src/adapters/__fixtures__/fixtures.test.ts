import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { describeFixtures, type Replayed, streamFixtures } from '../../../../../test/stream-fixtures.ts';
import type { EndpointSpec } from '../../endpoint.ts';
import { anthropicMessagesAdapter } from '../anthropic-messages/index.ts';
import { azureOpenAIAdapter } from '../azure-openai/index.ts';
import { llamaServerAdapter } from '../llama-server/index.ts';
import { openAIChatAdapter } from '../openai-chat/index.ts';
import { openAIResponsesAdapter } from '../openai-responses/index.ts';

const endpoint = (backendKind: string): EndpointSpec => ({
  name: 'fixture',
  backendKind,
  baseUrl: 'http://fixture/v1',
  model: 'm',
  apiKey: 'not-in-any-fixture',
});

/** By folder; a fixture that is put into one is found by itself. */
const ADAPTERS: Record<string, Replayed> = {
  'anthropic-messages': {
    adapter: http => anthropicMessagesAdapter({ http }),
    endpoint: endpoint('anthropic_messages'),
  },
  'azure-openai': { adapter: http => azureOpenAIAdapter({ http }), endpoint: endpoint('azure_openai') },
  'llama-server': {
    adapter: http => llamaServerAdapter({ http }),
    endpoint: endpoint('llama_server'),
    // Each route has a wire format of its own; the first word of the name tells it.
    ofFixture: name =>
      name.startsWith('chat')
        ? { endpoint: { options: { apiType: 'openai' } } }
        : {
            endpoint: { options: { apiType: name.startsWith('text') ? 'openai' : 'native' } },
            request: { prompt: 'x' },
          },
  },
  'openai-chat': { adapter: http => openAIChatAdapter({ http }), endpoint: endpoint('openai_chat') },
  'openai-responses': {
    adapter: http => openAIResponsesAdapter({ http }),
    endpoint: endpoint('openai_responses'),
  },
};

const folderOf = (adapter: string) => new URL(`../${adapter}/__fixtures__/`, import.meta.url);

for (const [adapter, replayed] of Object.entries(ADAPTERS)) {
  describeFixtures(adapter, folderOf(adapter), replayed);
}

it('every adapter has fixtures, and no fixture is left out', () => {
  const folders = readdirSync(new URL('../', import.meta.url), { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('__'))
    .map(({ name }) => name);
  expect(folders.sort()).toEqual(Object.keys(ADAPTERS).sort());
  for (const name of folders) {
    expect(existsSync(folderOf(name)) && streamFixtures(folderOf(name)).length, name).toBeGreaterThan(3);
  }
});

const RECORDER = readFileSync(new URL('../../../../../scripts/record-fixtures.mjs', import.meta.url), 'utf8');

it.each(Object.keys(ADAPTERS))('a fixture of %s is a recording or says that it is constructed', adapter => {
  for (const { name, bytes } of streamFixtures(folderOf(adapter))) {
    const isRecorded = RECORDER.includes(`'${adapter}/${name}'`);
    expect(isRecorded !== bytes.toString('utf8').startsWith(': constructed from '), name).toBe(true);
  }
});
