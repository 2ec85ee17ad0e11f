import type { ModelEndpoint } from '../endpoint-models.ts';

/** A model as the host of a URL would be one: what airframe's adapter asks of it comes behind. */
export interface Address {
  endpoint: ModelEndpoint;
  /** Whether vectors are wanted of it: that is another load of the same file. */
  embedding: boolean;
}

const ROOT = 'file:///';

export function writeAddress({ endpoint, embedding }: Address): string {
  const { name, baseUrl, options } = endpoint;
  return ROOT + encodeURIComponent(JSON.stringify({ endpoint: { name, baseUrl, options }, embedding }));
}

/** @param url what {@link writeAddress} made, with a path behind it */
export function readAddress(url: string): Address & { path: string } {
  const [written = '', ...path] = url.slice(ROOT.length).split('/');
  return { ...JSON.parse(decodeURIComponent(written)), path: `/${path.join('/')}` };
}
