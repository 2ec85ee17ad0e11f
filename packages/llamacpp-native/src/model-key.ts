import type { EndpointSpec } from '@x/airframe';
import { ggufPath } from './gguf-file.ts';
import type { ModelKey } from './loaded-models.ts';
import { readOptions } from './request.ts';

/** What an endpoint wants loaded. @throws AirframeError invalid_request naming the option or the URL */
export function modelKey(endpoint: Pick<EndpointSpec, 'name' | 'baseUrl' | 'options'>): ModelKey {
  return { ...readOptions(endpoint), path: ggufPath(endpoint.baseUrl) };
}
