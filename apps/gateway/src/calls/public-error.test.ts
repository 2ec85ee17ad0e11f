import { AirframeError } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { forClients } from './public-error.ts';

const attempts = [
  { number: 1, endpoint: 'box', startedAt: 1, durationMs: 1, outcome: 'connection' as const },
];

describe('an error for clients', () => {
  it('tells neither where a provider stands nor how it is set up', () => {
    const error = new AirframeError('connection', 'http://10.0.0.5:8080 refused the connection', {
      remedy: 'start llama-server or set LLAMASERVER_HOST',
      attempts,
      retryAfterMs: 500,
    });
    const told = forClients(error);
    expect(told.message).toBe('the provider refused the connection');
    expect(told).toMatchObject({ category: 'connection', retryAfterMs: 500, retryable: true });
  });

  it('names each provider that failed, and no advice', () => {
    const both = ['a', 'b'].map(provider => ({
      ...attempts[0],
      provider,
      message: 'http://10.0.0.5 said no',
    }));
    const error = new AirframeError('connection', 'all 2 LLM providers failed: a: no; set A_KEY | b: no', {
      attempts: both as never,
    });
    expect(forClients(error).message).toBe(
      'all 2 providers failed: a: the provider said no | b: the provider said no',
    );
  });

  it('keeps what a client can mend', () => {
    const error = new AirframeError('context_length', 'the prompt has 9 tokens', {
      remedy: 'shorten it',
      attempts,
    });
    expect(forClients(error)).toBe(error);
    const own = new AirframeError('quota', 'rule "day" allows 1 USD', { remedy: 'wait 5 s' });
    expect(forClients(own)).toBe(own);
  });
});
