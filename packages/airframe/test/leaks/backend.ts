import { type BackendProcess, startBackendProcess } from '../../../../test/backend-process.ts';
import type { EndpointSpec } from '../../src/endpoint.ts';

export interface Figures {
  requests: number;
  /** Connections open now. */
  sockets: number;
  /** Bytes of streams given to the system so far, or waiting for it. */
  written: number;
  /** Streams whose client has let them write nothing for half a second. */
  waiting: number;
}

/** The process of `server.mjs`. */
export interface Backend extends BackendProcess<Figures> {
  endpoint: EndpointSpec;
}

export async function startBackend(): Promise<Backend> {
  const backend = await startBackendProcess<Figures>(new URL('server.mjs', import.meta.url));
  return { ...backend, endpoint: { name: 'leaks', backendKind: 'openai_chat', baseUrl: backend.url } };
}
