import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import { type Script, type ScriptedServer, scriptedServer, sse } from '../../../../test/scripted-server.ts';
import { type GatewayProcess, startGatewayProcess } from '../gateway-process.ts';
import { KEY } from '../running-gateway.ts';
import { delta, usage } from '../upstreams.ts';

/** A word each 100 ms: eight of them when asked for `short`, else without end. */
const slowly: Script = async (response, { body }) => {
  const isShort = JSON.stringify(body).includes('short');
  const send = (event: object | string) =>
    response.write(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let words = 0; !response.destroyed && (!isShort || words < 8); words++) {
    send(delta({ content: `word ` }));
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  for (const event of [delta({}, 'stop'), usage(5, 8), '[DONE]']) send(event);
  response.end();
};

/** @param drain grace time in seconds */
async function start(
  drain: number,
  script: Script = slowly,
): Promise<{ upstream: ScriptedServer; gateway: GatewayProcess }> {
  const upstream = await scriptedServer(script);
  onTestFinished(() => upstream.close());
  const gateway = await startGatewayProcess({
    server: { drain },
    providers: { up: { type: 'openai', baseUrl: `${upstream.url}/v1`, maxRetries: 0 } },
    models: { fast: { targets: [{ provider: 'up', model: 'm' }] } },
  });
  return { upstream, gateway };
}

interface Outcome {
  status: number;
  text: string;
  /** The body came to its end. */
  whole: boolean;
}

async function ask({ url }: { url: string }, words: string, stream = true): Promise<Outcome> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'fast', stream, messages: [{ role: 'user', content: words }] }),
  });
  const outcome = { status: answer.status, text: '', whole: false };
  const decoder = new TextDecoder();
  try {
    for await (const chunk of answer.body ?? []) outcome.text += decoder.decode(chunk, { stream: true });
    outcome.whole = true;
  } catch {
    // It was broken off.
  }
  return outcome;
}

/** Asks on one connection that stays. */
function connection({ url }: GatewayProcess) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  return (path: string) =>
    new Promise<{ status: number; reused: boolean }>((resolve, reject) => {
      const asked = httpRequest(`${url}${path}`, { agent }, answer => {
        answer
          .resume()
          .on('end', () => resolve({ status: answer.statusCode ?? 0, reused: asked.reusedSocket }));
      });
      asked.on('error', reject).end();
    });
}

describe('a gateway that is told to stop', () => {
  it('under 200 streams: lets those end that do in time, tells the others why they end, then exits with 0', async () => {
    const { upstream, gateway } = await start(5);
    const get = connection(gateway);
    expect(await get('/readyz')).toMatchObject({ status: 200 });
    const short = Array.from({ length: 100 }, () => ask(gateway, 'short'));
    const long = Array.from({ length: 100 }, () => ask(gateway, 'long'));
    await until(() => upstream.seen.length === 200);
    const told = performance.now();
    gateway.signal('SIGTERM');

    await until(async () => (await get('/readyz')).status === 503);
    expect(await get('/healthz')).toEqual({ status: 200, reused: true });
    const late = await ask(gateway, 'short');
    expect(late).toMatchObject({ status: 503, text: expect.stringContaining('"draining"') });

    for (const outcome of await Promise.all(short)) {
      expect(outcome).toMatchObject({
        status: 200,
        whole: true,
        text: expect.stringMatching(/\[DONE\]\n\n$/),
      });
      expect(outcome.text.split('word ')).toHaveLength(9);
    }
    for (const outcome of await Promise.all(long)) {
      expect(outcome).toMatchObject({ status: 200, whole: false });
      expect(outcome.text).toContain('the gateway went down before the answer was whole');
      expect(outcome.text).not.toContain('[DONE]');
    }
    expect(await gateway.ended).toBe(0);
    expect(performance.now() - told).toBeLessThan(10_000);
    await until(() => upstream.sockets.size === 0);
    expect(upstream.seen).toHaveLength(200);
    const ends = gateway.log().filter(({ requestId }) => requestId !== undefined);
    expect(ends.filter(({ msg }) => msg === 'call')).toHaveLength(100);
    expect(ends.filter(({ error }) => error === 'overloaded')).toHaveLength(100);
  });

  it('answers a call that is no stream with 503 when its time is over', async () => {
    const { upstream, gateway } = await start(1);
    const asking = ask(gateway, 'long', false);
    await until(() => upstream.seen.length === 1);
    gateway.signal('SIGINT');
    expect(await asking).toMatchObject({
      status: 503,
      whole: true,
      text: expect.stringContaining('"draining"'),
    });
    expect(await gateway.ended).toBe(0);
  });

  it('lets a client read to its end what it has not read yet', async () => {
    const pieces = Array.from({ length: 64 }, () => delta({ content: 'x'.repeat(256 * 1_024) }));
    const { gateway } = await start(30, sse([...pieces, delta({}, 'stop'), usage(5, 5), '[DONE]']));
    const { port } = new URL(gateway.url);
    const client = connect(Number(port), '127.0.0.1');
    onTestFinished(() => void client.destroy());
    let bytes = 0;
    client.on('data', chunk => {
      bytes += chunk.length;
    });
    client.pause();
    const body = JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'much' }] });
    const headers = [`authorization: Bearer ${KEY}`, 'content-type: application/json', 'host: gateway'];
    const head = ['POST /v1/chat/completions HTTP/1.1', ...headers, `content-length: ${body.length}`];
    client.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    await until(() => gateway.log().some(({ msg }) => msg === 'call'));
    gateway.signal('SIGTERM');
    await until(() => gateway.log().some(({ msg }) => msg === 'going down'));
    client.resume();
    expect(await gateway.ended).toBe(0);
    await until(() => bytes > 16 * 1_024 * 1_024);
  });

  it('ends at once when nobody waits for anything', async () => {
    const { gateway } = await start(30);
    expect(await ask(gateway, 'short')).toMatchObject({ status: 200, whole: true });
    const told = performance.now();
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toBe(0);
    expect(performance.now() - told).toBeLessThan(10_000);
  });

  it('ends at once with exit code 1 when it is told twice', async () => {
    const { upstream, gateway } = await start(30);
    const asking = ask(gateway, 'long');
    await until(() => upstream.seen.length === 1);
    gateway.signal('SIGTERM');
    await until(() => gateway.log().some(({ msg }) => msg === 'going down'));
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toBe(1);
    expect((await asking).whole).toBe(false);
  });
});
