import { afterEach, expect, it } from 'vitest';
import { TestNodes } from '../../test/test-nodes.ts';
import { readSettings } from '../settings/settings.ts';
import { createAgentProviderWithNodeAwareness } from './create.ts';
import { NodePoolProvider } from './pool-provider.ts';

const nodes = new TestNodes();
afterEach(() => nodes.close());

const ENVIRONMENT = {
  DEPLOYMENT_MODE: 'distributed',
  LLAMASERVER_API_KEY: 'shared-key-1234',
  PLANNER_TEMPERATURE: '0.2',
};

it('puts an agent on nodes, with the settings and the key of llama-server', async () => {
  const [server] = await nodes.servers(2, {});
  if (!server) throw new Error('no server');
  const profiles = [{ name: 'gpu-1', baseUrl: server.url, agents: ['planner'] }];
  const settings = readSettings(ENVIRONMENT);
  const provider = createAgentProviderWithNodeAwareness(settings, 'planner', profiles);
  nodes.later(() => provider.close());
  expect(provider).toBeInstanceOf(NodePoolProvider);
  expect(await provider.generate('', 'Where are we?')).toBe('Hello world');
  expect(server.inferences[0]).toMatchObject({ temperature: 0.2, top_k: 40 });
  expect(new Set(server.keys)).toEqual(new Set(['Bearer shared-key-1234']));
});

it('makes an ordinary provider where nodes do not apply', () => {
  const profiles = [{ name: 'gpu-1', baseUrl: 'http://127.0.0.1:9' }];
  const plain = (more: Record<string, string>, given?: typeof profiles) =>
    createAgentProviderWithNodeAwareness(readSettings({ ...ENVIRONMENT, ...more }), 'planner', given);
  const others = [
    plain({}),
    plain({}, []),
    plain({ DEPLOYMENT_MODE: 'single_node' }, profiles),
    plain({ LLAMASERVER_PLANNER_URL: 'http://127.0.0.1:10' }, profiles),
    plain({ MOCK_LLM_ENABLED: 'true' }, profiles),
  ];
  for (const provider of others) expect(provider).not.toBeInstanceOf(NodePoolProvider);
});

it('names every problem of the profiles', () => {
  const profiles = [{ name: '', baseUrl: 'nowhere' }];
  expect(() => createAgentProviderWithNodeAwareness(readSettings(ENVIRONMENT), 'planner', profiles)).toThrow(
    /name: .*baseUrl: /,
  );
});
