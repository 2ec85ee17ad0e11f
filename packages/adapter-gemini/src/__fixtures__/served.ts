import type { IncomingHttpHeaders } from 'node:http';
import {
  type Adapter,
  type AirframeError,
  collect,
  type EndpointSpec,
  type InferenceResult,
  type Message,
} from '@x/airframe';
import { afterEach } from 'vitest';
import {
  type Script,
  type ScriptedServer,
  type SeenRequest,
  scriptedServer,
  sse,
} from '../../../../test/scripted-server.ts';
import { type GeminiExtra, type GeminiRequest, geminiAdapter } from '../index.ts';
import type { WirePart, WireResponse } from '../wire.ts';

/** What a request became. */
export interface SentCall {
  path: string | undefined;
  body: Record<string, unknown>;
  headers: IncomingHttpHeaders | undefined;
  error: AirframeError | undefined;
}

export interface Served {
  /** An endpoint at a server that lives as long as the test. */
  serve(...scripts: Script[]): Promise<EndpointSpec>;
  seen(): SeenRequest[];
  sockets(): number;
  /** The call that a request becomes, or the error that it is. */
  sent(request: Partial<GeminiRequest>, endpoint?: Partial<EndpointSpec>): Promise<SentCall>;
}

export const messages: Message[] = [{ role: 'user', content: 'hi' }];
export const adapter: Adapter<GeminiExtra> = geminiAdapter();

/** An event with these parts, or a whole answer. */
export function answer(parts: WirePart[], finishReason?: string, more: WireResponse = {}): WireResponse {
  const candidate = { content: { role: 'model', parts }, index: 0, ...(finishReason && { finishReason }) };
  return { candidates: [candidate], ...more };
}

/** For a test file: a server a test, closed after it. */
export function serving(): Served {
  let server: ScriptedServer | undefined;
  const serve: Served['serve'] = async (...scripts) => {
    await server?.close();
    server = await scriptedServer(...scripts);
    return { name: 'g', backendKind: 'gemini', baseUrl: server.url, model: 'gemini-3-flash' };
  };
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });
  return {
    serve,
    seen: () => server?.seen ?? [],
    sockets: () => server?.sockets.size ?? 0,
    sent: async (request, endpoint = {}) => {
      const served = await serve(sse([answer([{ text: 'ok' }], 'STOP')]));
      const { error } = await infer({ ...served, ...endpoint }, request);
      const [first] = server?.seen ?? [];
      const body = (first?.body ?? {}) as SentCall['body'];
      return { path: first?.path, body, headers: first?.headers, error };
    },
  };
}

export function infer(
  endpoint: EndpointSpec,
  request: Partial<GeminiRequest> = {},
): Promise<InferenceResult> {
  const whole = (request.prompt === undefined ? { messages, ...request } : request) as GeminiRequest;
  return collect(adapter.streamInfer(endpoint, whole), { throwOnError: false });
}
