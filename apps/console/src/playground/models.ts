import { useEffect, useState } from 'react';
import type { Hello, ModelEntry } from '../contract.ts';

/**
 * Models the key may ask for: as the gateway tells an admin, else by `GET /v1/models`.
 * @returns undefined: not known yet; a text: why it cannot be known
 */
export function useModels(
  apiKey: string,
  hello: Hello | undefined,
  isAdmin: boolean,
): ModelEntry[] | string | undefined {
  const [listed, setListed] = useState<ModelEntry[] | string>();
  useEffect(() => {
    if (isAdmin) return;
    const controller = new AbortController();
    listModels(apiKey, controller.signal).then(setListed, error => {
      if (!controller.signal.aborted) setListed(`The models cannot be listed: ${error}`);
    });
    return () => controller.abort();
  }, [apiKey, isAdmin]);
  return isAdmin ? hello?.models : listed;
}

async function listModels(apiKey: string, signal: AbortSignal): Promise<ModelEntry[]> {
  const response = await fetch('/v1/models', { headers: { authorization: `Bearer ${apiKey}` }, signal });
  if (!response.ok) throw new Error(`the gateway answered ${response.status}`);
  const { data } = (await response.json()) as { data: (Pick<ModelEntry, 'id'> & Partial<ModelEntry>)[] };
  return data.map(({ id, targets = [], price }) => ({ id, targets, ...(price ? { price } : {}) }));
}
