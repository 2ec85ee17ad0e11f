import {
  type Adapter,
  type AirframeError,
  type Attempt,
  type DoneEvent,
  defineAdapter,
  END,
  type EndpointSpec,
  type InferenceRequest,
  type InferenceStream,
  type InferenceStreamEvent,
  type InferOptions,
  isOutput,
  resolveTimeouts,
  SerialStream,
  type Step,
} from '@x/airframe';
import type { NodeTries } from './node-tries.ts';
import { outcomeOf, outcomeOfDone } from './node-tries.ts';
import type { NodeLease } from './pool.ts';
import type { NodeProfile } from './profiles.ts';

export interface NodeStreamCall {
  /** Speaks to the nodes. */
  adapter: Adapter;
  tries: NodeTries;
  /** What all nodes have in common: timeouts and options. */
  endpoint: EndpointSpec;
  request: InferenceRequest;
  options: InferOptions;
}

/** The endpoint of a node. */
export function nodeEndpoint(
  common: EndpointSpec,
  { name, baseUrl, model, apiKey }: NodeProfile,
): EndpointSpec {
  const own = { ...(model === undefined ? {} : { model }), ...(apiKey === undefined ? {} : { apiKey }) };
  return { ...common, name, baseUrl, ...own };
}

/**
 * One inference at whichever node takes it. A node that fails before it has put out anything is followed by another
 * one; from the first output on the answer is that node's.
 */
export class NodeStream extends SerialStream {
  readonly #call: NodeStreamCall;
  readonly #startedAt = performance.now();
  /** The wait for a node, or its answer. */
  #inner: InferenceStream | undefined;
  #lease: NodeLease | undefined;
  /** The log of the tries that failed. */
  readonly #attempts: Attempt[] = [];
  #answering = false;
  #left = false;
  #error: AirframeError | undefined;
  /** No node has answered, and none will be asked. */
  #givenUp = false;
  /** The `done` that follows the error then. */
  #ending: DoneEvent | undefined;

  constructor(call: NodeStreamCall) {
    super();
    this.#call = call;
  }

  override next(): Promise<Step> {
    return this.#answering && this.#inner ? this.#inner.next().then(this.#look) : super.next();
  }

  override poll(): InferenceStreamEvent | undefined {
    if (!this.#answering) return super.poll();
    const value = this.#inner?.poll?.();
    return value && this.#look({ done: false, value }).value;
  }

  async return(): Promise<Step> {
    this.#left = true;
    await this.#inner?.return?.();
    await this.settled();
    this.#lease?.release({ result: 'none' });
    return END;
  }

  protected ready(): Step | undefined {
    if (this.#left) return END;
    if (!this.#givenUp) return undefined;
    const value = this.#ending;
    this.#ending = undefined;
    return value ? { done: false, value } : END;
  }

  /** The first event that may go out, of whichever node brings it. */
  protected async pull(): Promise<Step> {
    let failed: Failed | undefined;
    for (;;) {
      const lease = await this.#nextLease();
      if (this.#left) return END;
      if (lease && 'error' in lease) return this.#giveUp(lease);
      // Without a node there has been a failure before: the first time the wait itself would have failed.
      if (!lease) return failed ? this.#giveUp(failed) : END;
      const { adapter, request, endpoint, tries } = this.#call;
      this.#inner = adapter.streamInfer(nodeEndpoint(endpoint, lease.node), request, this.#optionsLeft());
      const step = await this.#inner.next();
      if (step.value?.type !== 'error') {
        this.#answering = true;
        return this.#look(step);
      }
      failed = await this.#failure(step.value.error);
      if (!failed) return END;
      if (!tries.failed(lease, failed.error)) return this.#giveUp(failed);
    }
  }

  /** The wait as an inference of its own: it has the call's deadlines, and the ending when one expires. */
  async #nextLease(): Promise<NodeLease | Failed | undefined> {
    const { adapter, tries, endpoint, request } = this.#call;
    let lease: NodeLease | undefined;
    const { kind, capabilities } = adapter;
    const wait = defineAdapter({
      kind,
      capabilities,
      async *infer({ signal }, reply) {
        lease = await tries.next(signal);
        reply.finish('stop');
        yield;
      },
    });
    this.#inner = wait.streamInfer(endpoint, request, this.#optionsLeft());
    for (;;) {
      const { value: event } = await this.#inner.next();
      if (event?.type === 'error') {
        lease?.release({ result: 'none' });
        return this.#failure(event.error);
      }
      if (event !== undefined && event.type !== 'done') continue;
      this.#lease = lease;
      if (event === undefined) lease?.release({ result: 'none' });
      return lease;
    }
  }

  async #failure(error: AirframeError): Promise<Failed | undefined> {
    const done = (await this.#inner?.next())?.value;
    if (done?.type !== 'done') return undefined;
    this.#attempts.push(...numbered(done.attempts, this.#attempts.length));
    return { error, done };
  }

  #giveUp({ error, done }: Failed): Step {
    this.#givenUp = true;
    this.#ending = { ...done, attempts: this.#attempts, timings: this.#timingsOf(done) };
    return { done: false, value: { type: 'error', error: error.with({ attempts: this.#attempts }) } };
  }

  readonly #look = (step: Step): Step => {
    const event = step.value;
    if (event === undefined) return step;
    if (isOutput(event)) this.#lease?.firstOutput();
    if (event.type !== 'error' && event.type !== 'done') return step;
    if (event.type === 'error') {
      this.#error = event.error;
      const attempts = [...this.#attempts, ...numbered(event.error.attempts, this.#attempts.length)];
      return { done: false, value: { type: 'error', error: event.error.with({ attempts }) } };
    }
    this.#lease?.release(this.#error ? outcomeOf(this.#error) : outcomeOfDone(event));
    const attempts = [...this.#attempts, ...numbered(event.attempts, this.#attempts.length)];
    return { done: false, value: { ...event, attempts, timings: this.#timingsOf(event) } };
  };

  /** Of the whole call, waits and nodes that failed included. */
  #timingsOf({ timings }: DoneEvent): DoneEvent['timings'] {
    const totalMs = performance.now() - this.#startedAt;
    const { firstTokenMs } = timings;
    if (firstTokenMs === undefined) return { ...timings, totalMs };
    return { ...timings, totalMs, firstTokenMs: firstTokenMs + totalMs - timings.totalMs };
  }

  /** The call's options, with what is left of its total deadline. */
  #optionsLeft(): InferOptions {
    const { endpoint, options } = this.#call;
    const { totalMs } = resolveTimeouts(endpoint.timeouts, options.timeouts);
    if (totalMs === 0) return options;
    const leftMs = Math.max(1, Math.ceil(totalMs - (performance.now() - this.#startedAt)));
    return { ...options, timeouts: { ...options.timeouts, totalMs: leftMs } };
  }
}

interface Failed {
  error: AirframeError;
  done: DoneEvent;
}

function numbered(attempts: readonly Attempt[], before: number): Attempt[] {
  return attempts.map(attempt => ({ ...attempt, number: attempt.number + before }));
}
