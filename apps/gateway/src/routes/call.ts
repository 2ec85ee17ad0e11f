import { randomUUID } from 'node:crypto';
import type { CompletionRequest } from '@x/avionics';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkModel } from '../auth/authenticate.ts';
import type { Key } from '../auth/keys.ts';
import { Exchange } from '../calls/exchange.ts';
import { CallRecorder } from '../calls/recorder.ts';
import type { ServerConfig } from '../config/schema.ts';
import { inTraceOf } from '../observe/trace-parent.ts';
import type { Asked, Protocol } from '../protocols/protocol.ts';
import type { CatalogEntry } from '../runtime/catalog.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { agentOf, forwarded, tagsOf, timeoutOf } from './client-headers.ts';
import { draining } from './draining.ts';
import { guarded } from './guarded.ts';
import { hijack } from './hijack.ts';
import { checkImages } from './images.ts';
import { inTurn } from './in-turn.ts';
import type { ServerParts } from './parts.ts';
import { noteRefusal, refuse } from './refuse.ts';

/** The POST route of a protocol. */
export function callRoute(app: FastifyInstance, protocol: Protocol, parts: ServerParts): void {
  const { path: url } = protocol;
  const handler = (request: FastifyRequest, reply: FastifyReply) => call(request, reply, protocol, parts);
  guarded(app, parts, { method: 'POST', url, handler }, protocol);
}

/** The answer is given by hand, or has been refused; nobody waits for it. */
function call(request: FastifyRequest, reply: FastifyReply, protocol: Protocol, parts: ServerParts): void {
  const { live, inFlight } = parts;
  const { runtime, leave } = live.enter();
  let exit: (() => void) | undefined;
  const over = () => {
    exit?.();
    leave();
  };
  const refused = (error: unknown) => {
    try {
      noteRefusal(parts, error);
      refuse(reply, protocol, error);
    } finally {
      over();
    }
  };
  try {
    // It may have come to this while the body was on its way.
    if (parts.draining()) throw draining();
    const { caller: key } = request;
    const asked = protocol.read(request.body);
    const entry = runtime.catalog.find(asked.model);
    checkModel(key, entry.id);
    checkImages(asked.request, entry, runtime);
    exit = inFlight.enter(key, runtime.config.server?.maxConcurrent ?? 4_096);
    const begin = () => exchange({ request, reply, protocol, parts, runtime, asked, entry, key, over });
    if (reply.raw.socket) begin();
    else void inTurn(request.raw, reply.raw).then(begin).catch(refused);
  } catch (error) {
    refused(error);
  }
}

interface CallParts {
  request: FastifyRequest;
  reply: FastifyReply;
  protocol: Protocol;
  parts: ServerParts;
  runtime: Runtime;
  asked: Asked;
  entry: CatalogEntry;
  key: Key;
  /** To be called when the call is. */
  over(): void;
}

/** @throws AirframeError as {@link completionOf} does; then nothing has begun */
function exchange({ request, reply, protocol, parts, runtime, asked, entry, key, over }: CallParts): void {
  const { config, gateway } = runtime;
  const server: ServerConfig = config.server ?? {};
  const completion = completionOf(request, asked, entry, key, server);
  const { requestId, agentName } = completion;
  const recorder = new CallRecorder(
    {
      id: requestId,
      key: key.name,
      agent: agentName,
      protocol: protocol.name,
      model: entry.id,
      stream: asked.stream,
      prompt: config.console?.capture ? promptText(asked.request) : undefined,
    },
    parts.records,
  );
  const running: Exchange = new Exchange(
    { raw: request.raw, response: reply.raw },
    {
      requestId,
      protocol,
      asked,
      request: completion,
      complete: wanted => gateway.completeStream(wanted),
      recorder,
      over: () => {
        parts.exchanges.delete(running);
        over();
      },
      keepAliveMs: (server.keepAlive ?? 15) * 1_000,
      writeTimeoutMs: (server.writeTimeout ?? 60) * 1_000,
    },
  );
  // From here on the answer is the exchange's.
  hijack(reply);
  parts.exchanges.add(running);
  inTraceOf(request.headers, () => running.run()).catch(error => {
    parts.log.error({ err: error }, 'a call failed in the gateway itself');
    if (!running.isAnswered) reply.raw.destroy();
  });
}

/** What a client asks, with who asks it, and until when. @throws AirframeError (invalid_request) for a header that says nothing */
function completionOf(
  { headers }: FastifyRequest,
  { request, stream }: Asked,
  { id, midStream }: CatalogEntry,
  key: Key,
  server: ServerConfig,
): CompletionRequest & { requestId: string; agentName: string } {
  // Field by field: what is assigned from another object comes slowly.
  const completion = request as CompletionRequest & { requestId: string; agentName: string };
  completion.model = id;
  completion.agentName = agentOf(headers) ?? key.agent;
  completion.key = key.name;
  completion.requestId = randomUUID();
  completion.output = 'all';
  completion.deadlineMs = timeoutOf(headers, (server.requestTimeout ?? 600) * 1_000);
  const tags = tagsOf(headers);
  if (tags) completion.tags = tags;
  const sent = forwarded(headers, server.forwardHeaders);
  if (sent) completion.headers = sent;
  // What a stream has sent cannot be taken back.
  if (midStream) completion.midStream = stream && midStream === 'restart' ? 'fail' : midStream;
  return completion;
}

/** Most characters of a prompt that are kept. */
const MAX_CAPTURED = 20_000;

function promptText({ messages, rawPrompt, prompt }: CompletionRequest): string {
  const text = rawPrompt ?? prompt ?? JSON.stringify(messages);
  return text.slice(0, MAX_CAPTURED);
}
