import type { IncomingHttpHeaders } from 'node:http';
import { afterEach } from 'vitest';
import {
  type Script,
  type ScriptedServer,
  type SeenRequest,
  scriptedServer,
} from '../../../../../../test/scripted-server.ts';
import type { Adapter } from '../../../adapter.ts';
import { collect, type InferenceResult } from '../../../collect.ts';
import type { EndpointSpec } from '../../../endpoint.ts';
import type { AirframeError } from '../../../errors.ts';
import type { Message } from '../../../request.ts';
import { type AnthropicExtra, type AnthropicRequest, anthropicMessagesAdapter } from '../index.ts';
import { delta, events, start, stop } from './events.ts';

/** What a request became. */
export interface SentCall {
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
  sent(request: Partial<AnthropicRequest>, endpoint?: Partial<EndpointSpec>): Promise<SentCall>;
}

export const messages: Message[] = [{ role: 'user', content: 'hi' }];
export const adapter: Adapter<AnthropicExtra> = anthropicMessagesAdapter();

/** For a test file: a server a test, closed after it. */
export function serving(): Served {
  let server: ScriptedServer | undefined;
  const serve: Served['serve'] = async (...scripts) => {
    await server?.close();
    server = await scriptedServer(...scripts);
    return { name: 'claude', backendKind: 'anthropic_messages', baseUrl: server.url, model: 'claude-x' };
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
      const served = await serve(events([start(), delta('end_turn'), stop]));
      const { error } = await infer({ ...served, ...endpoint }, request);
      const [first] = server?.seen ?? [];
      return { body: (first?.body ?? {}) as SentCall['body'], headers: first?.headers, error };
    },
  };
}

export function infer(
  endpoint: EndpointSpec,
  request: Partial<AnthropicRequest> = {},
): Promise<InferenceResult> {
  const whole = (request.prompt === undefined ? { messages, ...request } : request) as AnthropicRequest;
  return collect(adapter.streamInfer(endpoint, whole), { throwOnError: false });
}
