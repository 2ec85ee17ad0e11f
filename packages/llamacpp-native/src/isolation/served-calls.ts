import {
  type Adapter,
  type AdapterDefinition,
  AirframeError,
  type Deadlines,
  defineAdapter,
  type EmbedRequest,
  type EndpointSpec,
  type HealthReport,
  type HealthState,
  type InferenceRequest,
} from '@x/airframe';
import type { LlamaCppExtra } from '../request.ts';
import { Credit } from './credit.ts';
import { errorFacts } from './error-facts.ts';
import type { Outbox } from './outbox.ts';
import { type Order, type Phase, WINDOW } from './protocol.ts';
import { recordWrites } from './reply-writes.ts';

type CallOrder = Extract<Order, { type: 'call' }>;

interface ServedCall {
  credit: Credit;
  aborter: AbortController;
}

/** The calls under way, as the child sees them: it does them, and reports into its outbox. */
export class ServedCalls {
  readonly #definition: AdapterDefinition<LlamaCppExtra>;
  readonly #adapter: Adapter<LlamaCppExtra>;
  readonly #outbox: Outbox;
  readonly #calls = new Map<number, ServedCall>();

  constructor(definition: AdapterDefinition<LlamaCppExtra>, outbox: Outbox) {
    this.#definition = definition;
    this.#adapter = defineAdapter(definition);
    this.#outbox = outbox;
  }

  receive(order: CallOrder | Extract<Order, { type: 'credit' | 'abort' }>): void {
    if (order.type === 'call') void this.#serve(order);
    else if (order.type === 'credit') this.#calls.get(order.id)?.credit.add(order.events);
    else this.#abort(order.id);
  }

  /** Ends the calls and frees the models. */
  async close(): Promise<void> {
    for (const id of this.#calls.keys()) this.#abort(id);
    await this.#adapter.close();
  }

  #abort(id: number): void {
    const call = this.#calls.get(id);
    call?.aborter.abort();
    // It reads its stream to the end, whoever else does not.
    call?.credit.add(Number.POSITIVE_INFINITY);
  }

  /** Does a call and reports its end. */
  async #serve(order: CallOrder): Promise<void> {
    const { id, method } = order;
    const call: ServedCall = { credit: new Credit(WINDOW), aborter: new AbortController() };
    this.#calls.set(id, call);
    try {
      const value = await (method === 'infer' ? this.#infer(order, call) : this.#ask(order, call));
      this.#outbox.add({ type: 'answer', id, value });
    } catch (error) {
      this.#outbox.add({ type: 'failure', id, error: errorFacts(error) });
    } finally {
      this.#calls.delete(id);
    }
  }

  async #infer({ id, endpoint, request }: CallOrder, { credit, aborter }: ServedCall): Promise<void> {
    const outbox = this.#outbox;
    const adapter = defineAdapter<LlamaCppExtra>({
      ...this.#definition,
      infer: (call, reply) => {
        recordWrites(reply, write => outbox.wrote(id, write));
        recordPhases(call.deadlines, phase => outbox.entered(id, phase));
        return this.#definition.infer(call, reply);
      },
    });
    const options = { signal: aborter.signal };
    const stream = adapter.streamInfer(endpoint, request as InferenceRequest<LlamaCppExtra>, options);
    for (;;) {
      await credit.take();
      const { value: event } = await stream.next();
      if (event === undefined) return;
      // Whether a reply is whole is decided once, by the parent's.
      if (event.type === 'error' && event.error.code !== 'truncated') throw event.error;
      outbox.handedOut(id);
    }
  }

  async #ask({ method, endpoint, request }: CallOrder, { aborter }: ServedCall): Promise<unknown> {
    const options = { signal: aborter.signal };
    switch (method) {
      case 'embed':
        return this.#adapter.embed?.(endpoint, request as EmbedRequest, options);
      case 'countTokens':
        return this.#adapter.countTokens?.(endpoint, request as InferenceRequest<LlamaCppExtra>, options);
      case 'listModels':
        return this.#adapter.listModels?.(endpoint, options);
      default:
        return stateIn(await this.#adapter.health(endpoint, options), endpoint);
    }
  }
}

/** The clocks run in the parent; here they only say which one it should be. */
function recordPhases(deadlines: Deadlines, tell: (phase: Phase) => void): void {
  const enter = deadlines.enter.bind(deadlines);
  let told: Phase | undefined;
  deadlines.enter = phase => {
    enter(phase);
    if (phase !== told) tell(phase);
    told = phase;
  };
}

function stateIn({ state, reason }: HealthReport, { name }: EndpointSpec): HealthState {
  if (state !== 'unhealthy') return state;
  throw new AirframeError('backend', reason ?? `${name} is unhealthy`);
}
