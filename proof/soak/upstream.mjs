// The upstream of the soak, in a process of its own: plays the plan that comes as the prompt. `/b` is the second provider.
import '../../scripts/run-sources.mjs';
import { answerParent } from '../../bench/child.mjs';

const { scriptedServer } = await import('../../test/scripted-server.ts');
const { Upstream } = await import('../../apps/gateway/test/faults/upstream.ts');

/** Calls whose first try has been refused. */
const refused = new Set();
let calls = 0;

const RESET_MS = 150;

const PROPS = { total_slots: 4, default_generation_settings: { n_ctx: 4_096 }, model_path: 'up-model' };

const server = await scriptedServer(async (response, seen) => {
  // What the server remembers of requests would be taken for a leak.
  server.seen.length = 0;
  if (seen.method !== 'POST') return json(response, seen.path.endsWith('/props') ? 200 : 404, PROPS);
  calls++;
  const plan = JSON.parse(seen.body.messages.at(-1).content);
  const up = new Upstream(response, seen);
  await play(up, plan, seen.path.startsWith('/b/'));
});

async function play(up, plan, isSecond) {
  const { id, fate, promptTokens, pieces, cut } = plan;
  const { response } = up;
  if (fate === 'down' || (fate === 'next' && !isSecond)) return json(response, 500, {});
  if (fate === 'limited') return json(response, 429, {}, { 'retry-after-ms': '10' });
  if (fate === 'retry' && !refused.delete(id)) {
    refused.add(id);
    return json(response, 503, {}, { 'retry-after-ms': '10' });
  }
  if (fate === 'before') return;
  const broken = fate !== 'whole' && fate !== 'retry' && fate !== 'next';
  const last = broken ? cut : pieces;
  for (let piece = 1; piece <= last; piece++) {
    up.say(`w${piece} `).usage(promptTokens, piece);
    if (piece % 4 === 0) await new Promise(setImmediate);
  }
  if (!broken) up.finish().usage(promptTokens, pieces).done();
  else if (fate === 'cut') up.eof();
  else if (fate === 'error') up.error('the script fails here').done();
  else if (fate === 'garbage') up.event('{"choices":[').done();
  // What a reset throws away before it is read would be billed by nobody.
  else if (fate === 'reset') setTimeout(() => up.reset(), RESET_MS);
}

function json(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

answerParent({ url: server.url }, () => ({ calls, sockets: server.sockets.size }));
