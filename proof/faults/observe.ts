// Runs ahead of every test of `pnpm proof:faults`: keeps what each test has seen, for the row that speaks of it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach } from 'vitest';
import { type InferenceStreamEvent, SerialStream } from '../../packages/airframe/src/index.ts';
import { Limiter, LLMGateway } from '../../packages/avionics/src/index.ts';
import { collectFacts, type Fact, seen } from '../../test/seen.ts';

declare module 'vitest' {
  interface TaskMeta {
    facts?: Fact[];
  }
}

let facts: Fact[] = [];
beforeEach(() => {
  facts = [];
  collectFacts(facts);
});
afterEach(({ task }) => {
  task.meta.facts = facts;
});

/** Set within the stream that a consumer reads: what that one reads from others is not the call's own ending. */
const within = new AsyncLocalStorage<true>();

const endings = new WeakMap<SerialStream, string>();

function note(stream: SerialStream, event: InferenceStreamEvent | undefined): void {
  if (event?.type === 'error') endings.set(stream, event.error.category);
  if (event?.type !== 'done') return;
  const { finishReason, usage, attempts } = event;
  const { promptTokens: prompt, completionTokens: completion, source } = usage;
  const category = endings.get(stream);
  const tries = attempts.length;
  seen({ of: 'ending', finishReason, category, prompt, completion, source, tries });
}

/** Files share the modules, and each runs this anew. */
const WATCHED = Symbol.for('@x/proof-watched');

if (!(WATCHED in globalThis)) {
  Object.assign(globalThis, { [WATCHED]: true });
  watch();
}

function watch(): void {
  const { next, poll } = SerialStream.prototype;
  SerialStream.prototype.next = async function () {
    if (within.getStore()) return next.call(this);
    const step = await within.run(true, () => next.call(this));
    note(this, step.value);
    return step;
  };
  SerialStream.prototype.poll = function () {
    const event = poll.call(this);
    if (!within.getStore()) note(this, event);
    return event;
  };

  const { reserve } = Limiter.prototype;
  Limiter.prototype.reserve = async function (call) {
    try {
      return await reserve.call(this, call);
    } catch (error) {
      seen({ of: 'limit', message: (error as Error).message });
      throw error;
    }
  };

  const { complete } = LLMGateway.prototype;
  LLMGateway.prototype.complete = async function (request: Parameters<typeof complete>[0]) {
    try {
      const response = await complete.call(this, request);
      const { provider, costUsd, metadata } = response;
      const attempts = metadata.attempts.map(({ outcome }) => outcome);
      const skipped = metadata.skipped?.map(one => one.provider);
      seen({ of: 'complete', provider, attempts, skipped, costUsd });
      return response;
    } catch (error) {
      seen({ of: 'complete', category: (error as { category?: string }).category });
      throw error;
    }
  } as typeof complete;
}
