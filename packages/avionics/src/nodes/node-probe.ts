import {
  type Adapter,
  AirframeError,
  createHttp,
  defineAdapter,
  type EndpointSpec,
  type ErrorReader,
  type ExchangeOptions,
  exchangeJson,
} from '@x/airframe';
import { NO_CAPABILITIES } from '../providers/base.ts';

/** What a llama-server says of itself. */
export interface NodeFacts {
  /** Absent from a server that routes between models. */
  slots?: number;
  /** Absent unless the server tells (it does not with `--no-slots`). */
  busySlots?: number;
}

/**
 * An adapter that only looks: `/props`, which unlike `/health` needs the key, and `/slots` where it is on.
 * Shapes as of llama.cpp de3ff81 (2026-09-28).
 * @param onFacts called when a server is ready, before its health is told
 */
export function nodeProbe(onFacts: (endpoint: EndpointSpec, facts: NodeFacts) => void): Adapter {
  const http = createHttp();
  return defineAdapter({
    kind: 'llama_server',
    capabilities: NO_CAPABILITIES,
    infer: () => {
      throw new AirframeError('invalid_request', 'a probe makes no inferences');
    },
    health: async (endpoint, deadlines) => {
      const options = { http, endpoint, deadlines, readError };
      try {
        const props = await get(options, '/props');
        const slots = Number.isInteger(props?.['total_slots'])
          ? { slots: props?.['total_slots'] as number }
          : {};
        const busy = props?.['endpoint_slots'] === true ? busyOf(await get(options, '/slots')) : {};
        onFacts(endpoint, { ...slots, ...busy });
        return 'healthy';
      } catch (error) {
        if (AirframeError.from(error).code === LOADING) return 'loading';
        throw error;
      }
    },
    close: async () => http.close?.(),
  });
}

const LOADING = 'loading';

const readError: ErrorReader = (status, body) => {
  const { error } = (body ?? {}) as { error?: { message?: unknown; type?: unknown } };
  const message = typeof error?.message === 'string' ? error.message : undefined;
  const loading = status === 503 && error?.type === 'unavailable_error';
  return loading ? { message, code: LOADING } : { message };
};

function get(options: ExchangeOptions, path: string): Promise<Record<string, unknown> | undefined> {
  const { apiKey } = options.endpoint;
  const headers: Record<string, string> = apiKey ? { authorization: `Bearer ${apiKey}` } : {};
  return exchangeJson(options, { method: 'GET', path, headers }, json =>
    typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined,
  );
}

function busyOf(slots: unknown): NodeFacts {
  if (!Array.isArray(slots)) return {};
  return { busySlots: slots.filter(slot => slot?.is_processing === true).length };
}
