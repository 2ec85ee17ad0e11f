import { AirframeError } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { mockedGateway } from './test-gateway.ts';

describe('completeStreamToResponse', () => {
  it('sends the chunks as events, and says that it is done', async () => {
    const { gateway } = mockedGateway({ main: ['one two'] });
    const response = await gateway.completeStreamToResponse({ prompt: 'x' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const events = (await response.text()).split('\n\n').filter(Boolean);
    expect(events.at(-1)).toBe('data: [DONE]');
    const chunks = events.slice(0, -1).map(event => JSON.parse(event.slice(6)));
    expect(chunks.map(chunk => chunk.text)).toEqual(['one', ' two', '']);
    expect(chunks.at(-1)).toMatchObject({ isFinal: true, response: { text: 'one two' } });
  });

  it('tells a client nothing of costs, failed tries and providers’ messages, unless asked to', async () => {
    const failing = { error: new AirframeError('backend', 'http://10.0.0.7 is on fire') };
    const script = { main: [failing], backup: ['one two'] };
    const bodyOf = async (detail: 'answer' | 'all') => {
      const { gateway } = mockedGateway(script);
      return (await gateway.completeStreamToResponse({ prompt: 'x' }, { detail })).text();
    };
    expect(await bodyOf('answer')).toContain('"finishReason":"stop"');
    expect(await bodyOf('answer')).not.toMatch(/on fire|costUsd|attempts/);
    expect(await bodyOf('all')).toMatch(/on fire/);
  });

  it('sends the text alone when that is wanted', async () => {
    const { gateway } = mockedGateway({ main: ['one two'] });
    const response = await gateway.completeStreamToResponse({ prompt: 'x' }, { format: 'text' });
    expect(await response.text()).toBe('one two');
  });

  it('has an error status when the call fails before its first text', async () => {
    const error = new AirframeError('rate_limit', 'slow down', { retryAfterMs: 1_500 });
    const { gateway } = mockedGateway({ main: [error] });
    const response = await gateway.completeStreamToResponse({ prompt: 'x' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '2']);
    expect(await response.json()).toMatchObject({ error: { category: 'rate_limit', message: 'slow down' } });
  });

  it('breaks off, and never looks whole, when the answer does', async () => {
    const { gateway } = mockedGateway({
      main: [{ chunks: ['a'], error: new AirframeError('backend', 'oops') }],
    });
    const response = await gateway.completeStreamToResponse({ prompt: 'x' });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const read = async () => {
      for (;;) {
        const step = await reader?.read();
        if (!step || step.done) return;
        text += step.value;
      }
    };
    await expect(read()).rejects.toMatchObject({ category: 'backend' });
    expect(text).not.toContain('[DONE]');
  });

  it('stops the backend when the body is cancelled', async () => {
    const { gateway } = mockedGateway({ main: [{ chunks: ['a', 'b', 'c'], chunkDelayMs: 1_000 }] });
    const response = await gateway.completeStreamToResponse({ prompt: 'x' });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(gateway.getStats()).toMatchObject({ stopped: 1, inFlight: 0 });
  });
});
