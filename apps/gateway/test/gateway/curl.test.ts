import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureCurl } from '../../../../scripts/curl.mjs';
import { until } from '../../../../test/real-llama-server.ts';
import { json, type Script, sse } from '../../../../test/scripted-server.ts';
import { gatewayOver, helloReply } from '../kinds.ts';
import { KEY } from '../running-gateway.ts';
import { delta, usage } from '../upstreams.ts';

interface Run {
  /** So far. */
  stdout: string;
  stderr: string;
  /** Exit code, once it has ended. */
  ended: Promise<number>;
}

let program = 'curl';
beforeAll(async () => {
  program = await ensureCurl();
});

function curl(...args: string[]): Run {
  const child = spawn(program, ['--silent', '--show-error', '--max-time', '20', ...args]);
  const run: Run = {
    stdout: '',
    stderr: '',
    ended: once(child, 'close').then(([code]) => code as number),
  };
  child.stdout.on('data', chunk => {
    run.stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    run.stderr += chunk;
  });
  return run;
}

const bearer = ['-H', `Authorization: Bearer ${KEY}`];
const asJson = ['-H', 'Content-Type: application/json'];
const chat = (url: string, fields: object = {}) => [
  ...[...bearer, ...asJson, `${url}/v1/chat/completions`, '-d'],
  JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'Hi' }], ...fields }),
];

describe('curl', () => {
  it('reads an answer and its headers', async () => {
    const { gateway } = await gatewayOver('anthropic-messages', helloReply);
    const run = curl('-i', ...chat(gateway.url));
    expect(await run.ended).toBe(0);
    const [head = '', body = ''] = run.stdout.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(head).toMatch(/^x-request-id: /m);
    expect(head).toMatch(/^x-gateway-provider: up\r$/m);
    expect(head).toMatch(/^x-gateway-cost-usd: 0\.022\r$/m);
    expect(JSON.parse(body).choices[0].message.content).toBe('Hello world');
  });

  it('-N shows a stream as it comes', async () => {
    let goOn: (() => void) | undefined;
    const slow: Script = async response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const write = (data: object | string) =>
        response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
      write(delta({ content: 'Hel' }));
      await new Promise<void>(resolve => {
        goOn = resolve;
      });
      for (const data of [delta({ content: 'lo' }), delta({}, 'stop'), usage(1, 2), '[DONE]']) write(data);
      response.end();
    };
    const { gateway } = await gatewayOver('openai-chat', slow);
    const run = curl('-N', ...chat(gateway.url, { stream: true }));
    await until(() => run.stdout.includes('"Hel"'));
    expect(run.stdout).not.toContain('"lo"');
    goOn?.();
    expect(await run.ended).toBe(0);
    expect(run.stdout).toContain('"lo"');
    expect(run.stdout.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('reads the events of Anthropic’s protocol', async () => {
    const { gateway } = await gatewayOver('openai-chat', helloReply);
    const run = curl(
      ...['-N', '-H', `x-api-key: ${KEY}`, '-H', 'anthropic-version: 2023-06-01', ...asJson],
      ...[`${gateway.url}/v1/messages`, '-d'],
      JSON.stringify({
        ...{ model: 'fast', max_tokens: 9, stream: true },
        messages: [{ role: 'user', content: 'Hi' }],
      }),
    );
    expect(await run.ended).toBe(0);
    expect(run.stdout.match(/^event: .*/gm)).toEqual([
      'event: message_start',
      'event: ping',
      'event: content_block_start',
      'event: content_block_delta',
      'event: content_block_delta',
      'event: content_block_stop',
      'event: message_delta',
      'event: message_stop',
    ]);
  });

  it('gets a status and a body that says what to do', async () => {
    const { gateway } = await gatewayOver('openai-chat', helloReply);
    const status = ['-w', '\n%{http_code}'];
    const cases: [args: string[], status: number, message: RegExp][] = [
      [chat(gateway.url, { model: 'other' }), 404, /known: fast/],
      [[...bearer, ...asJson, `${gateway.url}/v1/chat/completions`, '-d', '{"model":'], 400, /JSON/],
      [[...bearer, `${gateway.url}/v1/chat/completions`, '-d', '{}'], 400, /content-type: application\/json/],
      [[...asJson, `${gateway.url}/v1/chat/completions`, '-d', '{}'], 401, /no key/],
      [[...bearer, `${gateway.url}/v1/chat`], 404, /the routes are \/v1\/chat\/completions/],
    ];
    for (const [args, code, message] of cases) {
      const run = curl(...status, ...args);
      expect(await run.ended).toBe(0);
      const [body = '', told] = run.stdout.split('\n');
      expect(told).toBe(String(code));
      expect(JSON.parse(body).error.message).toMatch(message);
    }
  });

  it('--fail-with-body fails with an error before the stream, and shows it', async () => {
    const failing = json(503, { error: { message: 'busy' } }, { 'retry-after': '3' });
    const { gateway } = await gatewayOver('openai-chat', failing);
    const run = curl('--fail-with-body', '-i', '-N', ...chat(gateway.url, { stream: true }));
    expect(await run.ended).toBe(22);
    expect(run.stdout).toMatch(/^HTTP\/1\.1 503 /);
    expect(run.stdout).toMatch(/^retry-after: 3\r$/m);
    expect(run.stdout).toContain('"category":"overloaded"');
  });

  const hel = delta({ content: 'Hel' });
  const reset: Script = response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${JSON.stringify(hel)}\n\n`, () => response.destroy());
  };
  it.each([
    ['an error of the upstream', sse([hel, { error: { message: 'it broke' } }])],
    ['the end of the upstream’s stream', sse([hel])],
    ['a broken connection', reset],
  ])('exits with an error in mid-stream, after %s', async (_, broken) => {
    const { gateway } = await gatewayOver('openai-chat', broken);
    const run = curl('-N', ...chat(gateway.url, { stream: true }));
    // CURLE_PARTIAL_FILE: the body has no end.
    expect(await run.ended).toBe(18);
    expect(run.stdout).toContain('"Hel"');
    expect(run.stdout).toContain('data: {"error":{');
    expect(run.stdout).not.toContain('[DONE]');
  });
});
