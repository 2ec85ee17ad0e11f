import { AirframeError, type ErrorCategory } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { BreakerBoard, CircuitBreaker } from './breaker.ts';

const error = (category: ErrorCategory = 'connection', retryAfterMs?: number) =>
  new AirframeError(category, 'x', { retryAfterMs });

function breaker() {
  const clock = { now: 0 };
  const circuit = new CircuitBreaker({ failures: 2, openMs: 100, maxOpenMs: 300, now: () => clock.now });
  return { clock, circuit };
}

describe('CircuitBreaker', () => {
  it('opens after failures in a row, and not for failures among successes', () => {
    const { circuit } = breaker();
    circuit.failed(error());
    circuit.succeeded();
    circuit.failed(error());
    expect(circuit.state).toBe('closed');
    circuit.failed(error());
    expect(circuit.state).toBe('open');
    expect(circuit.opensInMs).toBe(100);
  });

  it('takes a burst of failures for one', () => {
    const { circuit } = breaker();
    for (let n = 0; n < 50; n++) circuit.began();
    for (let n = 0; n < 50; n++) circuit.failed(error());
    expect(circuit.opensInMs).toBe(100);
  });

  it('opens for answers that all begin and all break off', () => {
    const { circuit, clock } = breaker();
    const breaksOff = () => {
      circuit.began();
      circuit.answered();
      circuit.failed(error());
    };
    breaksOff();
    expect(circuit.state).toBe('closed');
    breaksOff();
    expect(circuit.opensInMs).toBe(100);
    clock.now = 100;
    breaksOff();
    expect(circuit.opensInMs).toBe(200);
  });

  it('lets one call through when its time is over, and closes when that succeeds', () => {
    const { circuit, clock } = breaker();
    circuit.failed(error());
    circuit.failed(error());
    clock.now = 100;
    expect(circuit.state).toBe('half_open');
    circuit.began();
    expect(circuit.state).toBe('open');
    circuit.succeeded();
    expect(circuit.state).toBe('closed');
  });

  it('stays open longer with each probe that fails, up to the limit, and as long as the backend asks', () => {
    const { circuit, clock } = breaker();
    const probeFails = (asked?: number) => {
      clock.now += circuit.opensInMs;
      circuit.began();
      circuit.failed(error('rate_limit', asked));
      return circuit.opensInMs;
    };
    circuit.failed(error());
    circuit.failed(error());
    expect([probeFails(), probeFails(), probeFails()]).toEqual([200, 300, 300]);
    clock.now += 300;
    circuit.succeeded();
    circuit.failed(error());
    circuit.failed(error('overloaded', 250));
    expect(circuit.opensInMs).toBe(250);
  });

  it.each(['invalid_request', 'context_length', 'content_filter', 'not_found', 'aborted'] as const)(
    'takes %s for a matter of the request, and a probe that ends so for none',
    category => {
      const { circuit, clock } = breaker();
      for (let n = 0; n < 9; n++) circuit.failed(error(category));
      expect(circuit.state).toBe('closed');
      circuit.failed(error());
      circuit.failed(error());
      clock.now = 100;
      circuit.began();
      circuit.failed(error(category));
      expect(circuit.state).toBe('half_open');
    },
  );
});

describe('BreakerBoard', () => {
  it('puts open circuits behind, the first to close in front', () => {
    const clock = { now: 0 };
    const board = new BreakerBoard({ failures: 1, openMs: 100, now: () => clock.now });
    board.of('a').failed(error());
    clock.now = 10;
    board.of('c').failed(error('overloaded', 50));
    const names = [{ name: 'c' }, { name: 'b' }, { name: 'a' }];
    expect(board.sorted(names)).toEqual({ ask: [{ name: 'b' }], open: [{ name: 'a' }, { name: 'c' }] });
    expect(board.snapshot()).toEqual({ a: 'open', b: 'closed', c: 'open' });
  });
});
