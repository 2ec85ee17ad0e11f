import type {
  AdapterDefinition,
  Call,
  Deadlines,
  EmbedResult,
  EndpointSpec,
  HealthState,
  InferenceCall,
  ModelInfo,
  Reply,
  TokenCount,
} from '@x/airframe';
import { type LlamaCppExtra, readOptions } from '../request.ts';
import type { CallRequest } from './child-calls.ts';
import type { EngineChild } from './engine-child.ts';
import { type Method, type Phase, WINDOW } from './protocol.ts';
import { replay } from './reply-writes.ts';

type Definition = AdapterDefinition<LlamaCppExtra>;

/** What is needed of the child. */
type Child = Pick<EngineChild, 'running' | 'call' | 'close'>;

/** A call on its way to the child. */
type Outgoing = Omit<Call<unknown>, 'request'> & { request?: unknown };

/** The clocks run here; over there they are off. */
const NO_TIMEOUTS = { connectMs: 0, headersMs: 0, idleMs: 0, totalMs: 0 };

/**
 * The definition, but calls to endpoints of `isolation: 'process'` are done by the same definition in the child.
 */
export function withIsolation(definition: Definition, child: Child): Definition {
  const { health, embed, countTokens, listModels } = definition;

  async function ask<T>(method: Method, call: Outgoing): Promise<T> {
    call.deadlines.enter('headers');
    return (await child.call(method, sent(call)).answer()) as T;
  }
  const probe = (endpoint: EndpointSpec, deadlines: Deadlines): Outgoing => ({
    endpoint,
    deadlines,
    signal: deadlines.signal,
  });

  const isolated: Definition = {
    ...definition,
    infer: (call, reply) =>
      isIsolated(call.endpoint) ? infer(child, call, reply) : definition.infer(call, reply),
    close: async () => {
      await Promise.all([definition.close?.(), child.close()]);
    },
  };
  if (health) {
    isolated.health = (endpoint, deadlines) =>
      // Looking at an endpoint starts no process; without one, nothing is loaded.
      isIsolated(endpoint) && child.running
        ? ask<HealthState>('health', probe(endpoint, deadlines))
        : health(endpoint, deadlines);
  }
  if (embed) {
    isolated.embed = call => (isIsolated(call.endpoint) ? ask<EmbedResult>('embed', call) : embed(call));
  }
  if (countTokens) {
    isolated.countTokens = call =>
      isIsolated(call.endpoint) ? ask<TokenCount>('countTokens', call) : countTokens(call);
  }
  if (listModels) {
    isolated.listModels = (endpoint, deadlines) =>
      isIsolated(endpoint)
        ? ask<ModelInfo[]>('listModels', probe(endpoint, deadlines))
        : listModels(endpoint, deadlines);
  }
  return isolated;
}

function isIsolated(endpoint: EndpointSpec): boolean {
  return readOptions(endpoint).isolation === 'process';
}

/** As the definition's own `infer`, which runs in the child and may be a few events ahead of the reader here. */
async function* infer(child: Child, call: InferenceCall<LlamaCppExtra>, reply: Reply): AsyncGenerator<void> {
  const { deadlines } = call;
  let phase: Phase = 'headers';
  let unpaid = 0;
  deadlines.enter(phase);
  const remote = child.call('infer', sent(call));
  try {
    for (;;) {
      const progress = await remote.next();
      if (!progress) return;
      replay(progress.writes, reply);
      phase = progress.phase ?? phase;
      // No clock runs while the consumer takes its time.
      deadlines.pause();
      yield;
      deadlines.enter(phase);
      unpaid += progress.events;
      if (unpaid < WINDOW / 2) continue;
      remote.credit(unpaid);
      unpaid = 0;
    }
  } finally {
    remote.leave();
  }
}

/** What the engine needs of a call: no keys, no clocks. */
function sent({ endpoint, request, signal }: Outgoing): CallRequest {
  const { name, backendKind, baseUrl, model, options } = endpoint;
  return {
    endpoint: {
      name,
      backendKind,
      baseUrl,
      ...(model === undefined ? {} : { model }),
      timeouts: NO_TIMEOUTS,
      options: { ...options, isolation: 'none' },
    },
    request,
    signal,
  };
}
