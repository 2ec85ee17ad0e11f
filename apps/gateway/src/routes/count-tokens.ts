import { AirframeError } from '@x/airframe';
import type { CompletionRequest } from '@x/avionics';
import type { FastifyInstance } from 'fastify';
import { checkModel } from '../auth/authenticate.ts';
import { anthropicMessages, readCountTokens } from '../protocols/anthropic-messages/index.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { guarded } from './guarded.ts';
import type { ServerParts } from './parts.ts';

/** `POST /v1/messages/count_tokens`. Where the provider does not count, the answer is an estimate, and a header says so. */
export function countTokensRoute(app: FastifyInstance, parts: ServerParts): void {
  guarded(
    app,
    parts,
    {
      method: 'POST',
      url: '/v1/messages/count_tokens',
      handler: async (request, reply) => {
        const { runtime, leave } = parts.live.enter();
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        try {
          const { model, request: asked } = readCountTokens(request.body);
          const entry = runtime.catalog.find(model);
          checkModel(request.caller, entry.id);
          const { tokens, exact } = await count({ ...asked, model: entry.id, signal: gone.signal }, runtime);
          return await reply
            .header('x-gateway-count', exact ? 'exact' : 'estimate')
            .send({ input_tokens: tokens });
        } finally {
          leave();
        }
      },
    },
    anthropicMessages,
  );
}

async function count(
  request: CompletionRequest,
  { gateway }: Runtime,
): Promise<{ tokens: number; exact: boolean }> {
  try {
    return await gateway.countTokens({ ...request, deadlineMs: 30_000 });
  } catch (error) {
    if (AirframeError.from(error).code !== 'unsupported') throw error;
    const { messages = [], tools = [] } = request;
    const chars = JSON.stringify(messages).length + (tools.length > 0 ? JSON.stringify(tools).length : 0);
    return { tokens: Math.ceil(chars / 4), exact: false };
  }
}
