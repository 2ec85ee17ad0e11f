import { AirframeError, type EndpointSpec, type HealthState, type ModelInfo } from '@x/airframe';
import type { LlamaCppAdapterOptions } from './adapter.ts';
import { checkGguf, ggufPath } from './gguf-file.ts';
import type { ModelKey } from './model-pool.ts';
import { modelInfo } from './operations.ts';
import type { MemberOptions, PoolMember } from './pool-member.ts';
import { checkKeeping, readOptions } from './request.ts';

/** Of an endpoint, what says which model it is and how that is loaded. */
export type ModelEndpoint = Pick<EndpointSpec, 'name' | 'baseUrl' | 'options'>;

/** What the calls of a closed adapter fail with. */
export const CLOSED: AirframeError = new AirframeError('aborted', 'the adapter is closed');

/** What an endpoint wants loaded. @throws AirframeError invalid_request naming the option or the URL */
export function modelKey(endpoint: ModelEndpoint): ModelKey {
  const { idleUnloadMs: _, isolation: __, ...load } = readOptions(endpoint);
  return { ...load, path: ggufPath(endpoint.baseUrl) };
}

export function idleUnloadMs(endpoint: ModelEndpoint, options: LlamaCppAdapterOptions): number | undefined {
  return readOptions(endpoint).idleUnloadMs ?? options.idleUnloadMs;
}

/** @throws AirframeError invalid_request naming an option that cannot be */
export function memberOptions(options: LlamaCppAdapterOptions): MemberOptions {
  checkKeeping(options);
  const { maxLoaded, onLoadProgress, onWarning = warnOfProcess } = options;
  return { maxLoaded, onProgress: onLoadProgress, onWarning };
}

/** A look that loads nothing. */
export async function healthOf(
  models: Pick<PoolMember<never>, 'state'>,
  endpoint: ModelEndpoint,
): Promise<HealthState> {
  const key = modelKey(endpoint);
  await checkGguf(key.path);
  return models.state(key);
}

/** The one model of an endpoint, which need not be loaded for it. */
export async function listModel(endpoint: ModelEndpoint): Promise<ModelInfo[]> {
  const { path, contextTokens } = modelKey(endpoint);
  return [await modelInfo(path, contextTokens)];
}

function warnOfProcess(message: string): void {
  process.emitWarning(message, { type: 'LlamaCppWarning' });
}
