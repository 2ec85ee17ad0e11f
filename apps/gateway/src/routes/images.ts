import { AirframeError } from '@x/airframe';
import type { CompletionRequest } from '@x/avionics';
import type { CatalogEntry } from '../runtime/catalog.ts';
import type { Runtime } from '../runtime/runtime.ts';

/**
 * Keeps a client from making a server of ours fetch an address of its choice: a llama-server stands inside the network.
 * @throws AirframeError (invalid_request)
 */
export function checkImages(
  { messages = [] }: CompletionRequest,
  entry: CatalogEntry,
  { providers }: Runtime,
): void {
  const remote = messages
    .flatMap(({ content }) => (Array.isArray(content) ? content : []))
    .find(part => part.type === 'image' && !part.url.startsWith('data:'));
  if (!remote) return;
  const inside = entry.targets.find(({ provider }) => providers.get(provider)?.type.startsWith('llama'));
  if (!inside) return;
  throw new AirframeError('invalid_request', `the model ${entry.id} takes no images by address`, {
    code: 'unsupported',
    remedy: 'send the image itself, as a data: URL or in base64',
  });
}
