import { expect, it } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { type RunningGateway, runGateway } from '../running-gateway.ts';

type Provider = Config['providers'][string];

const boxes = (name: string): Provider => ({
  type: 'llamaserver',
  nodes: [{ name, baseUrl: 'http://127.0.0.1:1', slots: 1 }],
});

const nodesOf = ({ app }: RunningGateway) =>
  app.runtime.providers
    .get('boxes')
    ?.pool?.snapshot()
    .nodes.map(({ name }) => name);

it('leaves the nodes as they were when another provider of the new configuration cannot be made', async () => {
  const gateway = await runGateway({ providers: { boxes: boxes('n1') } });
  const { config } = gateway.app.runtime;
  // There is no cluster to ask.
  const nowhere: Provider = { type: 'llamaserver', nodes: { kubernetes: { service: 'llama' } } };
  await expect(
    gateway.app.reload({ ...config, providers: { boxes: boxes('n2'), nowhere } }),
  ).rejects.toThrow();
  expect(nodesOf(gateway)).toEqual(['n1']);
  await gateway.app.reload({ ...config, providers: { boxes: boxes('n2') } });
  expect(nodesOf(gateway)).toEqual(['n2']);
});

it('says which fields hold from the next start on', async () => {
  const gateway = await runGateway({ providers: { boxes: boxes('n1') } });
  const { config } = gateway.app.runtime;
  await gateway.app.reload({
    ...config,
    server: { ...config.server, port: 9_999, drain: 1 },
    console: { enabled: false, capture: true },
  });
  expect(gateway.log().flatMap(({ fields }) => fields ?? [])).toEqual(['server.port', 'console.enabled']);
});
