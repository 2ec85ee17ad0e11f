// How the fixtures of each adapter are read.
import type { Replayed } from '../../../../../test/stream-fixtures.ts';
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
export const ADAPTERS: Record<string, Replayed> = {
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

export const folderOf = (adapter: string): URL => new URL(`../${adapter}/__fixtures__/`, import.meta.url);
