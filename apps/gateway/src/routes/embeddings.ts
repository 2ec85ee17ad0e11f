import { randomUUID } from 'node:crypto';
import { AirframeError } from '@x/airframe';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkModel } from '../auth/authenticate.ts';
import { addFacts, addIgnored, costHeader, errorHeaders, type Headers } from '../calls/headers.ts';
import { forClients } from '../calls/public-error.ts';
import { CallRecorder } from '../calls/recorder.ts';
import { inTraceOf } from '../observe/trace-parent.ts';
import { embeddingsBody, readEmbeddings } from '../protocols/openai-embeddings.ts';
import { openAIError } from '../protocols/openai-error.ts';
import { statusOf } from '../protocols/status.ts';
import { agentOf, tagsOf, timeoutOf } from './client-headers.ts';
import { guarded } from './guarded.ts';
import type { ServerParts } from './parts.ts';

/** `POST /v1/embeddings`. */
export function embeddingsRoute(app: FastifyInstance, parts: ServerParts): void {
  guarded(app, parts, {
    method: 'POST',
    url: '/v1/embeddings',
    handler: (request, reply) => embeddings(request, reply, parts),
  });
}

async function embeddings(
  request: FastifyRequest,
  reply: FastifyReply,
  parts: ServerParts,
): Promise<FastifyReply> {
  const { runtime, leave } = parts.live.enter();
  const gone = new AbortController();
  // Not the request's: that one is closed as soon as its body is read.
  reply.raw.once('close', () => gone.abort());
  let stopped: AirframeError | undefined;
  const running = {
    place: -1,
    stop: (reason: AirframeError) => {
      stopped = reason;
      gone.abort();
    },
  };
  let exit: (() => void) | undefined;
  try {
    const { caller: key, headers } = request;
    const { model, request: asked, base64, ignored } = readEmbeddings(request.body);
    const entry = runtime.catalog.find(model);
    checkModel(key, entry.id);
    exit = parts.inFlight.enter(key, runtime.config.server?.maxConcurrent ?? 4_096);
    const agentName = agentOf(headers) ?? key.agent;
    const id = randomUUID();
    const facts = { id, key: key.name, agent: agentName, protocol: 'openai-embeddings', model: entry.id };
    const recorder = new CallRecorder({ ...facts, stream: false }, parts.records);
    const tags = tagsOf(headers);
    parts.exchanges.add(running);
    try {
      const wanted = {
        ...asked,
        model: entry.id,
        agentName,
        key: key.name,
        signal: gone.signal,
        deadlineMs: timeoutOf(headers, (runtime.config.server?.requestTimeout ?? 600) * 1_000),
        ...(tags ? { tags } : {}),
      };
      const response = await inTraceOf(headers, () => runtime.gateway.embed(wanted));
      recorder.embedded(response);
      const { costUsd, metadata } = response;
      const told: Headers = { 'x-request-id': id, ...costHeader({ costUsd, priced: metadata.priced }) };
      addFacts(told, undefined, response);
      addIgnored(told, ignored);
      return reply.headers(told).send(embeddingsBody(response, base64));
    } catch (error) {
      const failure = stopped ?? AirframeError.from(error);
      recorder.ended({ status: statusOf(failure), failure });
      return reply
        .code(statusOf(failure))
        .headers({ 'x-request-id': id, ...errorHeaders(failure) })
        .send(openAIError(forClients(failure), id));
    }
  } finally {
    parts.exchanges.delete(running);
    exit?.();
    leave();
  }
}
