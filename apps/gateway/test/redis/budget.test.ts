import { expect, it } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import type { Script } from '../../../../test/scripted-server.ts';
import type { GatewayProcess } from '../gateway-process.ts';
import { delta, usage } from '../upstreams.ts';
import { ask, startReplicas } from './replicas.ts';

/** Ten tokens at a cent each. */
const CALL_USD = 0.1;
const CALLS = 60;
/** Calls under way at once, of each replica. */
const AT_ONCE = 4;
const REQUEST_TIMEOUT_SECONDS = 5;

it('a budget of two replicas is exact to the calls that one has under way when it is killed', async () => {
  let billed = 0;
  const upstream: Script = async response => {
    await new Promise(resolve => setTimeout(resolve, 50));
    // It bills what it has made, whether anybody gets it or not.
    billed++;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of [delta({ content: 'Hello' }), delta({}, 'stop'), usage(5, 5)])
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    response.end('data: [DONE]\n\n');
  };
  const replicas = await startReplicas(upstream, {
    whenStoreFails: 'closed',
    server: { requestTimeout: REQUEST_TIMEOUT_SECONDS },
    keyLimits: { usdPerDay: CALLS * CALL_USD },
  });
  const [doomed, survivor] = replicas.gateways;
  let [answered, lost] = [0, 0];
  const askUntilRefused = async (gateway: GatewayProcess): Promise<void> => {
    for (;;) {
      const answer = await ask(gateway).catch(() => undefined);
      if (answer?.status === 200) answered++;
      else if (answer)
        return expect(answer).toMatchObject({ status: 429, body: expect.stringContaining('USD') });
      else {
        lost++;
        return;
      }
    }
  };
  const load = Promise.all(
    replicas.gateways.flatMap(gateway => Array.from({ length: AT_ONCE }, () => askUntilRefused(gateway))),
  );
  await until(() => answered >= CALLS / 3);
  doomed.signal('SIGKILL');
  await load;
  expect(lost).toBeLessThanOrEqual(AT_ONCE);

  // What the killed one held comes back, and the other may use it.
  const spent = async () => {
    const [{ spent = 0, reserved = 0 } = {}] = await replicas.usage();
    return { calls: Math.round(spent / CALL_USD), held: reserved };
  };
  await until(async () => (await spent()).held === 0, (REQUEST_TIMEOUT_SECONDS + 20) * 1_000);
  const { calls: atKill } = await spent();
  expect(atKill).toBeGreaterThanOrEqual(answered);
  expect(atKill).toBeLessThanOrEqual(answered + lost);
  await askUntilRefused(survivor);
  await until(async () => (await spent()).held === 0);

  expect((await spent()).calls).toBe(CALLS);
  expect(billed).toBeGreaterThanOrEqual(CALLS);
  expect(billed).toBeLessThanOrEqual(CALLS + lost);
});
