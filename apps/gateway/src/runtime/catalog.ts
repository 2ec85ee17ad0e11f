import { AirframeError } from '@x/airframe';
import type { CallTarget, MidStreamPolicy, RequestDefaults, Route } from '@x/avionics';
import type { Config, ModelConfig } from '../config/schema.ts';
import { defined } from '../defined.ts';
import { GATEWAY_CODES } from '../protocols/status.ts';

/** What a client may name as model, and where it leads. */
export interface CatalogEntry {
  id: string;
  targets: readonly CallTarget[];
  midStream?: MidStreamPolicy | undefined;
  description?: string | undefined;
}

/** The models of a configuration: its aliases, and what providers expose as `<provider>/<model>`. */
export class Catalog {
  readonly #entries = new Map<string, CatalogEntry>();
  readonly #defaultModel: string | undefined;

  constructor({ providers, models = {}, defaultModel }: Config) {
    const defaultsOf = (name: string): RequestDefaults => {
      const provider = providers[name];
      return ((provider && 'defaults' in provider && provider.defaults) || {}) as RequestDefaults;
    };
    for (const [id, model] of Object.entries(models)) {
      const targets = model.targets.map(target =>
        targetOf(target, model.defaults, defaultsOf(target.provider)),
      );
      const { midStream, description } = model;
      this.#entries.set(id, { id, targets, midStream, description });
    }
    for (const [name, provider] of Object.entries(providers)) {
      if (!('expose' in provider)) continue;
      for (const model of provider.expose ?? []) {
        const id = `${name}/${model}`;
        if (this.#entries.has(id)) continue;
        this.#entries.set(id, {
          id,
          targets: [targetOf({ provider: name, model }, undefined, defaultsOf(name))],
        });
      }
    }
    this.#defaultModel = defaultModel;
  }

  /**
   * @param model '' or undefined: the default one
   * @throws AirframeError (not_found) naming the models there are
   */
  find(model: string | undefined): CatalogEntry {
    const name = model || this.#defaultModel;
    const entry = name === undefined ? undefined : this.#entries.get(name);
    if (entry) return entry;
    const known = [...this.#entries.keys()].join(', ') || 'none';
    if (name === undefined) {
      throw new AirframeError('invalid_request', `the request names no model; name one of ${known}`);
    }
    throw new AirframeError('not_found', `no model is named ${JSON.stringify(name)}; known: ${known}`, {
      code: GATEWAY_CODES.model,
    });
  }

  entries(): CatalogEntry[] {
    return [...this.#entries.values()];
  }

  /** For the gateway: where a model's name leads. */
  readonly route: Route = ({ model }) => this.find(model).targets;
}

function targetOf(
  { provider, model }: ModelConfig['targets'][number],
  own: ModelConfig['defaults'],
  ofProvider: RequestDefaults,
): CallTarget {
  const extra = { ...ofProvider.extra, ...own?.extra };
  const defaults = {
    ...ofProvider,
    ...(own as RequestDefaults | undefined),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  };
  return {
    provider,
    ...defined({ model }),
    ...(Object.keys(defaults).length > 0 ? { defaults } : {}),
  };
}
