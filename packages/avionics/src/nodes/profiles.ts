import { isDeepStrictEqual } from 'node:util';
import { AirframeError, describeIssues, endpointSpecSchema } from '@x/airframe';
import { z } from 'zod';

/** A llama-server of the pool. */
export interface NodeProfile {
  /** Unique in the pool; stands in logs, metadata, spans and attempt logs. */
  name: string;
  /** Root of the server, e.g. `http://10.0.0.5:8080`. */
  baseUrl: string;
  /** Model it serves. Calls for another model do not come here. Absent: it takes any. */
  model?: string;
  /** Agents it is for. Absent: all. */
  agents?: string[];
  /** What calls may ask a node to have. */
  tags?: string[];
  /** Calls it works on at once. Absent: what the server says, and one until it has been asked. */
  slots?: number;
  apiKey?: string;
  /** Tokens of prompts it may still hold, its prompt cache in RAM included, to begin with: reports correct it. Default 262,144. */
  cacheTokens?: number;
}

const name = z.string().min(1);
const count = z.int().positive();
const profileSchema: z.ZodType<NodeProfile> = z.strictObject({
  name,
  baseUrl: z.string(),
  model: name.exactOptional(),
  agents: z.array(name).min(1).exactOptional(),
  tags: z.array(name).exactOptional(),
  slots: count.exactOptional(),
  apiKey: z.string().exactOptional(),
  cacheTokens: count.exactOptional(),
});

/**
 * The profiles, when all of them are good.
 * @param mayBeEmpty true: no node at all is no problem
 * @throws AirframeError (invalid_request, code `configuration`) naming every problem: a bad field, a name used twice
 */
export function checkNodeProfiles(values: readonly unknown[], mayBeEmpty = false): NodeProfile[] {
  const profiles = new Map<string, NodeProfile>();
  const problems: string[] = [];
  if (values.length === 0 && !mayBeEmpty) problems.push('there are no nodes; give at least one');
  for (const [index, value] of values.entries()) {
    const { profile, problem } = read(value);
    const known = (value as Partial<NodeProfile> | null | undefined)?.name;
    const which = typeof known === 'string' && known !== '' ? JSON.stringify(known) : `number ${index + 1}`;
    if (problem !== undefined) problems.push(`node ${which}: ${problem}`);
    else if (profiles.has(profile.name)) problems.push(`two nodes are named ${which}; names must differ`);
    else profiles.set(profile.name, profile);
  }
  if (problems.length === 0) return [...profiles.values()];
  throw new AirframeError('invalid_request', `invalid node profiles: ${problems.join(' | ')}`, {
    code: 'configuration',
  });
}

export function byName(profiles: readonly NodeProfile[]): Map<string, NodeProfile> {
  return new Map(profiles.map(profile => [profile.name, profile]));
}

/** Names of nodes. One that has moved to another address is in both `removed` and `added`. */
export interface NodeChanges {
  added: string[];
  removed: string[];
  changed: string[];
}

export function changesOf(
  before: ReadonlyMap<string, NodeProfile>,
  after: ReadonlyMap<string, NodeProfile>,
): NodeChanges {
  const stays = (name: string) => before.get(name)?.baseUrl === after.get(name)?.baseUrl;
  const names = [...after.keys()];
  return {
    added: names.filter(name => !stays(name)),
    removed: [...before.keys()].filter(name => !stays(name)),
    changed: names.filter(name => stays(name) && !isDeepStrictEqual(before.get(name), after.get(name))),
  };
}

type Read = { profile: NodeProfile; problem?: never } | { profile?: never; problem: string };

function read(value: unknown): Read {
  const profile = profileSchema.safeParse(value);
  // What the transport asks of an address and a key is for it to say.
  const { name: endpoint = 'node', baseUrl, apiKey } = (value ?? {}) as Partial<NodeProfile>;
  const spec = { name: endpoint, backendKind: 'llama_server', baseUrl, ...(apiKey ? { apiKey } : {}) };
  const sent = endpointSpecSchema.safeParse(spec);
  const issues = [...(profile.error?.issues ?? []), ...(sent.error?.issues ?? [])];
  // Both have an opinion on a field that is missing: once is enough.
  const first = issues.filter(
    (issue, index) => issues.findIndex(other => String(other.path) === String(issue.path)) === index,
  );
  if (profile.success && sent.success) return { profile: profile.data };
  return { problem: describeIssues(first, value) };
}
