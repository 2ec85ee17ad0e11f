import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { AirframeError } from '../../errors.ts';
import { categoryOf } from '../../transport/failure.ts';
import { redact, secretsOf } from '../../transport/redact.ts';
import { parseRetryAfter } from '../../transport/retry-after.ts';
import type { Resource } from './source.ts';
import type { Status } from './wire.ts';

/** The part of the client library's KubeConfig that is used: which cluster, and how to get in. */
export type ClusterAccess = Pick<
  KubeConfig,
  'getCurrentCluster' | 'getCurrentContext' | 'getContextObject' | 'applyToHTTPSOptions'
>;

export interface ApiCall {
  verb: 'list' | 'watch';
  query?: Record<string, string>;
  /** Longest time the answer's body may take, in milliseconds. */
  bodyMs: number;
  signal: AbortSignal;
}

/** Until an answer begins, in milliseconds; a watch is answered at once as well. */
const ANSWER_MS = 30_000;
/** An idle watch outlives the connection tables of what stands between only when something is sent. */
const KEEP_ALIVE_MS = 30_000;
/** More of a refusal is not read. */
const MAX_STATUS_CHARS = 10_000;

/**
 * GET, the only thing ever done to a cluster. The client library brings the way in (certificates, tokens, plugins,
 * proxies); its own Watch can be stopped only once it was answered, and says nothing of why it was refused.
 */
export class KubernetesApi {
  readonly #access: ClusterAccess;
  /** What the KubeConfig put into the last request that must show up nowhere. */
  #secrets: readonly string[] = [];

  constructor(access: ClusterAccess) {
    this.#access = access;
  }

  /**
   * @returns the answer, its body unread
   * @throws AirframeError for an answer other than 200, with its `status`, or for none: `connection`
   */
  async get(resource: Resource, call: ApiCall): Promise<IncomingMessage> {
    const { url, options } = await this.#request(resource, call);
    let response: IncomingMessage;
    try {
      response = await send(url, { ...options, signal: call.signal }, call.bodyMs);
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new AirframeError(
        'connection',
        `the Kubernetes API at ${url.origin} cannot be reached: ${message || code}`,
        { remedy: 'check the cluster’s address in the KubeConfig', cause },
      );
    }
    if (response.statusCode === 200) return response;
    throw this.#refusal(response, await messageOf(response), url, resource, call);
  }

  /** Text that the API sent, fit for an error. */
  clean(text: string): string {
    return redact(text, this.#secrets);
  }

  #refusal(
    response: IncomingMessage,
    text: string,
    url: URL,
    resource: Resource,
    call: ApiCall,
  ): AirframeError {
    const { statusCode: status = 0, headers } = response;
    const { group, plural, namespace } = resource;
    const said = this.clean(text);
    const problem = `the Kubernetes API at ${url.origin} answered ${status} to ${call.verb} ${plural} in namespace ${namespace}`;
    const remedies: Record<number, string> = {
      401: 'renew the credentials of the KubeConfig',
      403: `grant it a Role with apiGroups: ["${group}"], resources: ["${plural}"], verbs: ["list", "watch"]`,
      404: 'check the cluster’s address, and that it is Kubernetes 1.21 or later',
    };
    return new AirframeError(categoryOf(status), said ? `${problem}: ${said}` : problem, {
      status,
      retryAfterMs: parseRetryAfter({ 'retry-after': headers['retry-after'] ?? '' }),
      remedy: remedies[status],
    });
  }

  async #request(resource: Resource, { query }: ApiCall): Promise<{ url: URL; options: RequestOptions }> {
    const options: RequestOptions = { headers: { accept: 'application/json' } };
    const { group, plural, namespace, selector } = resource;
    try {
      const server = this.#access.getCurrentCluster()?.server;
      if (!server) throw new Error('it has no current cluster');
      const root = `${server.replace(/\/+$/, '')}${group ? `/apis/${group}` : '/api'}/v1`;
      const url = new URL(`${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`);
      url.search = String(new URLSearchParams({ ...selector, ...query }));
      await this.#access.applyToHTTPSOptions(options);
      this.#secrets = secretsIn(options);
      return { url, options };
    } catch (error) {
      const why = redact(AirframeError.from(error).message, secretsIn(options));
      throw new AirframeError('auth', `the KubeConfig gives no way into a cluster: ${why}`, {
        remedy: 'try it with kubectl',
      });
    }
  }
}

function send(url: URL, options: RequestOptions, bodyMs: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, options);
    const limit = (ms: number) =>
      setTimeout(() => request.destroy(new Error(`not answered within ${ms} ms`)), ms);
    let timer = limit(ANSWER_MS);
    request.on('socket', socket => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    request.on('response', response => {
      clearTimeout(timer);
      timer = limit(bodyMs);
      resolve(response);
    });
    request.on('error', reject);
    request.on('close', () => clearTimeout(timer));
    request.end();
  });
}

/** What the API says of why it refuses: the message of a Status, or the text of whoever answered in its place. */
async function messageOf(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      text += chunk;
      if (text.length > MAX_STATUS_CHARS) break;
    }
    return (JSON.parse(text) as Status | null)?.message ?? '';
  } catch {
    return text.slice(0, 200).replace(/\s+/g, ' ').trim();
  }
}

function secretsIn({ headers, auth }: RequestOptions): string[] {
  const texts = Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]);
  const basic = auth ? [auth, auth.slice(auth.indexOf(':') + 1), Buffer.from(auth).toString('base64')] : [];
  return [...secretsOf({ headers: Object.fromEntries(texts) }), ...basic];
}
