import { PassThrough } from 'node:stream';
import type { RequestRecord } from '@x/console/contract';
import { describe, expect, it } from 'vitest';
import { AccessLog, createLog, type LogLevel } from './log.ts';

function logged(level: LogLevel = 'info') {
  const sink = new PassThrough();
  const log = createLog(level, sink);
  const text = () => String(sink.read() ?? '');
  return {
    log,
    text,
    lines: () =>
      text()
        .trim()
        .split('\n')
        .filter(Boolean)
        .map(line => JSON.parse(line)),
  };
}

const call: RequestRecord = {
  id: 'r1',
  at: 1,
  key: 'team',
  agent: 'writer',
  protocol: 'openai-chat',
  model: 'fast',
  stream: true,
  state: 'succeeded',
  status: 200,
  provider: 'up',
  answeredBy: 'up-model',
  node: 'n1',
  finishReason: 'stop',
  usage: { promptTokens: 12, completionTokens: 2, source: 'reported' },
  costUsd: 0.016,
  firstTokenMs: 10.4,
  latencyMs: 20.6,
  queuedMs: 3.2,
  attempts: [{ provider: 'up', startMs: 0, durationMs: 20, outcome: 'ok', status: 200 }],
};

describe('the log', () => {
  it('lets no secret through, however deep it lies', () => {
    const { log, text } = logged();
    const headers = { authorization: 'Bearer planted-1', 'x-api-key': 'planted-2', cookie: 'a=planted-3' };
    const config = {
      providers: { up: { apiKey: 'planted-4', nodes: [{ name: 'n', apiKey: 'planted-5' }] } },
      redis: { url: 'rediss://user:planted-6@redis.local:6379/0' },
      keys: [{ name: 'team', hash: 'sha256:planted-7' }],
    };
    log.error({ request: { headers }, config }, 'all that went wrong');
    log.warn({ reason: 'connect redis://:planted-8@127.0.0.1:6379 refused' }, 'away');
    const written = text();
    expect(written).not.toContain('planted');
    expect(written).toContain('rediss://***@redis.local:6379/0');
    expect(written).toContain('"name":"team"');
  });

  it('tells errors with their stack', () => {
    const { log, lines } = logged();
    log.error({ err: new Error('broken') }, 'failed');
    expect(lines()).toMatchObject([
      { err: { message: 'broken', stack: expect.stringContaining('log.test') } },
    ]);
  });

  it('is silent when told so', () => {
    const { log, text } = logged('silent');
    log.error('nothing');
    new AccessLog(log).record(call);
    expect(text()).toBe('');
  });
});

describe('the access log', () => {
  it('has a line for a call that is over, and none for one that runs', () => {
    const { log, lines } = logged();
    const access = new AccessLog(log);
    access.record({ ...call, state: 'running' });
    access.record(call);
    expect(lines()).toEqual([
      {
        level: 30,
        time: expect.any(Number),
        requestId: 'r1',
        key: 'team',
        agent: 'writer',
        protocol: 'openai-chat',
        model: 'fast',
        stream: true,
        status: 200,
        provider: 'up',
        answeredBy: 'up-model',
        node: 'n1',
        finishReason: 'stop',
        promptTokens: 12,
        completionTokens: 2,
        costUsd: 0.016,
        firstTokenMs: 10,
        latencyMs: 21,
        queuedMs: 3,
        attempts: 1,
        msg: 'call',
      },
    ]);
  });

  it('tells why a call failed in the gateway’s words, never in those of a backend that may quote the prompt', () => {
    const { log, lines } = logged();
    const access = new AccessLog(log);
    const failed = (category: string, message: string, status?: number): RequestRecord => ({
      ...call,
      state: 'failed',
      error: { category, message },
      attempts: [{ ...call.attempts[0], outcome: category, ...(status && { status }) } as never],
    });
    access.record(failed('connection', 'http://127.0.0.1:1 refused the connection'));
    access.record(failed('invalid_request', 'http://up answered 400: bad value: my secret wish', 400));
    const [refused, quoted] = lines();
    expect(refused).toMatchObject({
      level: 40,
      error: 'connection',
      reason: expect.stringContaining('refused'),
    });
    expect(quoted).toMatchObject({ level: 40, error: 'invalid_request', upstreamStatus: 400 });
    expect(JSON.stringify(quoted)).not.toContain('secret wish');
  });

  it('keeps to the level that the log has now', () => {
    const { log, lines } = logged();
    const access = new AccessLog(log);
    log.level = 'warn';
    access.record(call);
    access.record({ ...call, state: 'failed', error: { category: 'timeout', message: 'late' } });
    expect(lines()).toMatchObject([{ msg: 'call failed' }]);
  });
});
