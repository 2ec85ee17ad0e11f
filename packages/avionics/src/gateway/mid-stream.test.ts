import { AirframeError } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { mockedGateway, readAll } from './test-gateway.ts';

const broken = { chunks: ['The sky', ' is'], error: new AirframeError('connection', 'the line broke') };

describe('an answer that breaks off', () => {
  it('fails with what broke it, by default, and is paid for', async () => {
    const { gateway, backup } = mockedGateway({ main: [broken], backup: ['blue'] });
    const { text, error } = await readAll(gateway.completeStream({ prompt: 'x' }));
    expect(text).toBe('The sky is');
    expect(error).toMatchObject({ category: 'connection', attempts: [{ provider: 'llamaserver' }] });
    expect(backup.requests).toHaveLength(0);
    expect(gateway.getStats()).toMatchObject({ failed: 1, completionTokens: 2 });
  });

  it('is begun anew by the next provider, behind a seam', async () => {
    const { gateway } = mockedGateway({ main: [broken], backup: ['It is blue'] }, { midStream: 'restart' });
    const { chunks } = await readAll(gateway.completeStream({ prompt: 'x' }));
    const at = chunks.findIndex(chunk => chunk.seam);
    const seam = {
      policy: 'restart',
      reason: 'failure',
      from: 'llamaserver',
      to: 'backup',
      message: 'the line broke',
    };
    expect(chunks[at]).toMatchObject({ text: '', isFinal: false, provider: 'backup', seam });
    expect(
      chunks
        .slice(at)
        .map(chunk => chunk.text)
        .join(''),
    ).toBe('It is blue');
    const response = chunks.at(-1)?.response;
    expect(response).toMatchObject({
      text: 'It is blue',
      provider: 'backup',
      completionTokens: 3,
      metadata: {
        seams: [seam],
        billed: { completionTokens: 5 },
        attempts: [{ provider: 'llamaserver' }, { provider: 'backup' }],
      },
    });
    const prompt = (response?.metadata.billed.promptTokens ?? 0) / 2;
    expect(response?.costUsd).toBeCloseTo((prompt * 0.01 + 2 * 0.02 + prompt + 3) / 1_000, 12);
  });

  it('is continued where it stopped', async () => {
    const { gateway, backup } = mockedGateway({ main: [broken], backup: [' blue today'] });
    const { chunks, text } = await readAll(gateway.completeStream({ prompt: 'x', midStream: 'continue' }));
    expect(text).toBe('The sky is blue today');
    expect(backup.requests[0]?.messages).toMatchObject([
      { role: 'user', content: 'x' },
      { role: 'assistant', content: 'The sky is' },
      { role: 'user' },
    ]);
    expect(chunks.map(chunk => chunk.cumulativeTokens)).toEqual([1, 2, 2, 3, 4, 4]);
    expect(chunks.at(-1)?.response).toMatchObject({
      text: 'The sky is blue today',
      completionTokens: 4,
      metadata: { message: { content: 'The sky is blue today' }, seams: [{ policy: 'continue' }] },
    });
  });

  it('is continued behind the raw prompt and what was said, where that is all there is', async () => {
    const { gateway, backup } = mockedGateway({ main: [broken], backup: [' blue today'] });
    const { text } = await readAll(gateway.completeStream({ rawPrompt: 'Skies: ', midStream: 'continue' }));
    expect(text).toBe('The sky is blue today');
    expect(backup.requests[0]?.prompt).toBe('Skies: The sky is');
  });

  it('goes to the same provider once more when there is no other', async () => {
    const { gateway } = mockedGateway({ main: [broken, 'All of it'] }, { midStream: 'restart' });
    expect((await gateway.complete({ prompt: 'x' })).text).toBe('All of it');
    const hopeless = mockedGateway({ main: [broken] }, { midStream: 'restart' });
    await expect(hopeless.gateway.complete({ prompt: 'x' })).rejects.toMatchObject({
      problem: 'the line broke',
      attempts: [{ number: 1 }, { number: 2 }],
    });
  });

  it('keeps its own error when nobody can take it up', async () => {
    const down = [new AirframeError('overloaded', 'busy')];
    const { gateway } = mockedGateway({ main: [broken, ...down], backup: down }, { midStream: 'continue' });
    const { error } = await readAll(gateway.completeStream({ prompt: 'x' }));
    expect(error).toMatchObject({ problem: 'the line broke' });
    expect((error as AirframeError).attempts).toHaveLength(3);
  });

  it('is not taken up when the caller has ended it', async () => {
    const controller = new AbortController();
    const { gateway, backup } = mockedGateway(
      { main: [{ chunks: ['a', 'b', 'c'], chunkDelayMs: 20 }], backup: ['no'] },
      { midStream: 'restart' },
    );
    let error: unknown;
    try {
      for await (const _ of gateway.completeStream({ prompt: 'x', signal: controller.signal }))
        controller.abort();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ category: 'aborted' });
    expect(backup.requests).toHaveLength(0);
  });
});

describe('a provider that keeps failing', () => {
  it('is passed over while its circuit is open, and the response says so', async () => {
    const { gateway, main } = mockedGateway(
      { main: [new AirframeError('connection', 'down')], backup: ['hi'] },
      { breaker: { failures: 2, openMs: 60_000 } },
    );
    for (let n = 0; n < 2; n++) await gateway.complete({ prompt: 'x' });
    const { metadata } = await gateway.complete({ prompt: 'x' });
    expect(main.requests).toHaveLength(2);
    expect(metadata.skipped).toMatchObject([{ provider: 'llamaserver', reason: 'circuit_open' }]);
    expect(metadata.attempts).toHaveLength(1);
  });

  it('is asked all the same when every circuit is open', async () => {
    const down = new AirframeError('connection', 'down');
    const { gateway } = mockedGateway(
      { main: [down], backup: [down, 'back'] },
      { breaker: { failures: 1, openMs: 60_000 } },
    );
    for (let n = 0; n < 2; n++) await gateway.complete({ prompt: 'x' }).catch(() => {});
    expect((await gateway.complete({ prompt: 'x' })).text).toBe('back');
  });
});

describe('a circuit', () => {
  it('stays closed when callers end answers that were coming', async () => {
    const slow = { chunks: ['a', 'b'], chunkDelayMs: 40 };
    const { gateway, main, backup } = mockedGateway({ main: [slow], backup: ['no'] });
    const ended = (request: { deadlineMs?: number }) =>
      Promise.all(
        Array.from({ length: 6 }, () => readAll(gateway.completeStream({ prompt: 'x', ...request }))),
      );
    await ended({ deadlineMs: 20 });
    gateway.setResourceCallback((_, tokensOut) => (tokensOut > 0 ? 'enough' : undefined));
    await ended({});
    gateway.setResourceCallback(undefined);
    expect(gateway.getStats()).toMatchObject({
      stopped: 6,
      failed: 6,
      providers: { llamaserver: { errors: 6 } },
    });
    expect((await gateway.complete({ prompt: 'x' })).provider).toBe('llamaserver');
    expect([main.requests.length, backup.requests.length]).toEqual([13, 0]);
  });

  it('opens for a provider whose answers all break off', async () => {
    const { gateway } = mockedGateway({ main: [broken], backup: ['hi'] });
    for (let n = 0; n < 5; n++) await readAll(gateway.completeStream({ prompt: 'x' }));
    expect((await gateway.complete({ prompt: 'x' })).provider).toBe('backup');
    expect(gateway.getStats()).toMatchObject({ fallbacks: 1, succeeded: 1, failed: 5 });
  });
});
