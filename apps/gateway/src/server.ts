import cors from '@fastify/cors';
import { AirframeError } from '@x/airframe';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { Key } from './auth/keys.ts';
import type { ServerConfig } from './config/schema.ts';
import { anthropicMessages } from './protocols/anthropic-messages/index.ts';
import { openAIChat } from './protocols/openai-chat/index.ts';
import { openAICompletions } from './protocols/openai-completions/index.ts';
import { openAIError } from './protocols/openai-error.ts';
import { openAIResponses } from './protocols/openai-responses/index.ts';
import type { Protocol } from './protocols/protocol.ts';
import { GATEWAY_CODES } from './protocols/status.ts';
import { callRoute } from './routes/call.ts';
import { clientErrorAnswerer } from './routes/client-error.ts';
import { countTokensRoute } from './routes/count-tokens.ts';
import { embeddingsRoute } from './routes/embeddings.ts';
import { modelsRoutes } from './routes/models.ts';
import { operationsRoutes } from './routes/operations.ts';
import type { ServerParts } from './routes/parts.ts';
import { noteRefusal, refuse } from './routes/refuse.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose key the request shows; there on routes that ask for one. */
    caller: Key;
  }
  interface FastifyContextConfig {
    /** Whose words errors are told in. Default: OpenAI's. */
    protocol?: Pick<Protocol, 'refusal' | 'statusOf'>;
  }
}

/** Every protocol that clients may speak. */
export const PROTOCOLS: readonly Protocol[] = [
  openAIChat,
  openAICompletions,
  openAIResponses,
  anthropicMessages,
];

/** This machine alone. */
export const DEFAULT_HOST = '127.0.0.1';

const MIB = 1024 * 1024;
const OPENAI_WORDS = { refusal: openAIError };

/** The HTTP server, which does not listen yet. What it is told of sockets and sizes holds for its whole life. */
export async function createServer(parts: ServerParts, config: ServerConfig = {}): Promise<FastifyInstance> {
  const { maxBodyBytes = 20 * MIB, maxHeaderBytes = 16 * 1024, maxConnections = 8_192 } = config;
  const app = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    trustProxy: config.trustProxy ?? false,
    http: { maxHeaderSize: maxHeaderBytes },
    clientErrorHandler: clientErrorAnswerer(maxHeaderBytes),
    // Of addresses that cannot be read; fastify would tell of them in words of its own.
    frameworkErrors: (error, _request, reply) => {
      const problem = problemOf(error, maxBodyBytes);
      noteRefusal(parts, problem);
      return refuse(reply, OPENAI_WORDS, problem);
    },
    // For a request to arrive; how long its answer takes is another matter.
    requestTimeout: 120_000,
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    return503OnClosing: false,
  });
  app.server.maxConnections = maxConnections;
  // JSON under that name would come as a text that no protocol knows.
  app.removeContentTypeParser('text/plain');
  app.decorateRequest('caller', undefined as unknown as Key);
  if (config.cors?.length) {
    await app.register(cors, {
      origin: config.cors.includes('*') ? '*' : config.cors,
      exposedHeaders: EXPOSED,
      maxAge: 600,
    });
  }
  app.setErrorHandler((error: FastifyError | AirframeError, request, reply) => {
    const protocol = request.routeOptions.config.protocol ?? OPENAI_WORDS;
    const problem = problemOf(error, maxBodyBytes);
    noteRefusal(parts, problem);
    if (problem.category === 'unknown')
      parts.log.error({ err: error }, 'a request failed in the gateway itself');
    return refuse(reply, protocol, problem);
  });
  app.setNotFoundHandler((request, reply) => {
    const problem = new AirframeError(
      'not_found',
      `there is no ${request.method} ${request.url.split('?')[0]}`,
      {
        remedy: `the routes are ${PROTOCOLS.map(({ path }) => path).join(', ')}, /v1/embeddings and /v1/models`,
      },
    );
    noteRefusal(parts, problem);
    return refuse(reply, OPENAI_WORDS, problem);
  });
  for (const protocol of PROTOCOLS) callRoute(app, protocol, parts);
  embeddingsRoute(app, parts);
  countTokensRoute(app, parts);
  modelsRoutes(app, parts);
  operationsRoutes(app, parts, config.host ?? DEFAULT_HOST);
  return app;
}

/** Headers that a page of another origin may read. */
const EXPOSED = [
  'x-request-id',
  'retry-after',
  ...['provider', 'model', 'node', 'attempts', 'cost-usd', 'cache', 'ignored'].map(
    name => `x-gateway-${name}`,
  ),
  ...['requests', 'tokens'].flatMap(unit =>
    ['limit', 'remaining', 'reset'].flatMap(what => [
      `x-ratelimit-${what}-${unit}`,
      `anthropic-ratelimit-${unit}-${what}`,
    ]),
  ),
];

/** What fastify found wrong with a request, as an error of ours. */
function problemOf(error: FastifyError | AirframeError, maxBodyBytes: number): AirframeError {
  if (error instanceof AirframeError) return error;
  if (error.statusCode === 413) {
    return new AirframeError('invalid_request', `the body is larger than ${maxBodyBytes} bytes`, {
      code: GATEWAY_CODES.tooLarge,
      remedy: 'send less, or raise server.maxBodyBytes',
    });
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    const remedy = error.statusCode === 415 ? 'send JSON, with `content-type: application/json`' : undefined;
    return new AirframeError('invalid_request', error.message, { remedy });
  }
  return new AirframeError('unknown', 'the gateway failed', { cause: error, remedy: 'its log says more' });
}
