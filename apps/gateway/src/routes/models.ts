import { AirframeError } from '@x/airframe';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GATEWAY_CODES } from '../protocols/status.ts';
import type { CatalogEntry } from '../runtime/catalog.ts';
import { guarded } from './guarded.ts';
import type { ServerParts } from './parts.ts';

const STARTED = Math.floor(Date.now() / 1_000);

/** `GET /v1/models` and `GET /v1/models/{id}`: what this key may name, in a form that both protocols' clients read. */
export function modelsRoutes(app: FastifyInstance, parts: ServerParts): void {
  const entriesFor = ({ caller }: FastifyRequest) =>
    parts.live.current.catalog.entries().filter(({ id }) => caller.mayUse(id));
  guarded(app, parts, {
    method: 'GET',
    url: '/v1/models',
    handler: async request => {
      const data = entriesFor(request).map(modelOf);
      return {
        object: 'list',
        data,
        has_more: false,
        first_id: data[0]?.id ?? null,
        last_id: data.at(-1)?.id ?? null,
      };
    },
  });
  guarded(app, parts, {
    method: 'GET',
    url: '/v1/models/*',
    handler: async request => {
      const id = (request.params as { '*': string })['*'];
      const entry = entriesFor(request).find(one => one.id === id);
      if (entry) return modelOf(entry);
      throw new AirframeError('not_found', `no model is named ${JSON.stringify(id)}`, {
        code: GATEWAY_CODES.model,
      });
    },
  });
}

function modelOf({ id, targets, description }: CatalogEntry) {
  return {
    id,
    object: 'model',
    created: STARTED,
    owned_by: targets[0]?.provider ?? 'gateway',
    // Anthropic's list has these.
    type: 'model',
    display_name: description ?? id,
    created_at: new Date(STARTED * 1_000).toISOString(),
  };
}
