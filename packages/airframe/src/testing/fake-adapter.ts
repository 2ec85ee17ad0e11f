import { type Adapter, type Call, defineAdapter, type InferenceCall } from '../adapter.ts';
import type { Reply } from '../assemble/reply.ts';
import type { BackendKind, EndpointSpec } from '../endpoint.ts';
import { AirframeError } from '../errors.ts';
import type { EmbedRequest, EmbedResult, ModelInfo } from '../operations.ts';
import { type InferenceRequest, promptChars } from '../request.ts';
import { type FakeScript, Playback, piecesOf } from './fake-script.ts';
import { randomFrom } from './random.ts';

/** What {@link fakeAdapter} takes ahead of its answers. */
export interface FakeAdapterOptions {
  /** The kind it stands in for, as `AirframeClient` looks it up. Default `fake`. */
  kind?: BackendKind;
  /** What `listModels` answers. Default one model, `fake-model`. */
  models?: ModelInfo[];
}

/** An inference that a fake adapter was asked for. */
export interface FakeCall {
  endpoint: EndpointSpec;
  /** As it was at the call, whatever the caller does to it later. */
  request: InferenceRequest;
  /** Fires on abort, an expired deadline, and when the reader leaves: what would stop a real backend. */
  signal: AbortSignal;
}

export interface FakeAdapter extends Adapter {
  /** Every inference so far, in order. Retries count; a request refused as invalid does not. */
  readonly calls: readonly FakeCall[];
  /** The same of `embed`. */
  readonly embedCalls: readonly EmbedRequest[];
  embed: NonNullable<Adapter['embed']>;
  countTokens: NonNullable<Adapter['countTokens']>;
  listModels: NonNullable<Adapter['listModels']>;
}

/** Characters of a token, and numbers of a vector when the request does not say. */
const CHARS_PER_TOKEN = 4;
const DIMENSIONS = 8;

/**
 * An adapter without a backend, for tests: the n-th inference gets the n-th script, and the last script serves all
 * that follow; `calls` tells how many there were. It keeps the stream contract, deadlines and cancellation
 * included. Nothing is random, and nothing takes time unless the script says so. `embed` gives the same unit vector
 * for the same text, `countTokens` counts 4 characters as a token.
 */
export function fakeAdapter(...scripts: [FakeScript, ...FakeScript[]]): FakeAdapter;
export function fakeAdapter(
  options: FakeAdapterOptions,
  ...scripts: [FakeScript, ...FakeScript[]]
): FakeAdapter;
export function fakeAdapter(...args: (FakeAdapterOptions | FakeScript)[]): FakeAdapter {
  const isScript = (arg: FakeAdapterOptions | FakeScript): arg is FakeScript =>
    typeof arg !== 'object' || Array.isArray(arg);
  const scripts = args.filter(isScript);
  const options = args.find((arg): arg is FakeAdapterOptions => !isScript(arg)) ?? {};
  const { kind = 'fake', models = [{ id: 'fake-model' }] } = options;
  const last = scripts.at(-1);
  if (last === undefined) {
    throw new AirframeError('invalid_request', 'fakeAdapter has no script; give it one or more answers');
  }
  const calls: FakeCall[] = [];
  const embedCalls: EmbedRequest[] = [];
  const adapter = defineAdapter({
    kind,
    capabilities: {
      streaming: true,
      rawPrompt: true,
      tools: true,
      images: true,
      reasoning: true,
      jsonSchema: true,
      seed: true,
    },
    async *infer(call: InferenceCall, reply: Reply) {
      const { endpoint, deadlines, signal } = call;
      const request = structuredClone(call.request);
      const index = calls.push({ endpoint, request, signal }) - 1;
      const script = scripts[index] ?? last;
      deadlines.enter('headers');
      const answer = typeof script === 'function' ? await script(request, index) : script;
      deadlines.pause();
      const model = request.model ?? endpoint.model ?? models[0]?.id;
      reply.identify({ responseId: `fake-${index + 1}`, model });
      yield* new Playback(deadlines, reply, request.stream !== false).play(piecesOf(answer));
    },
    health: async () => 'healthy',
    embed: async (call: Call<EmbedRequest>) => {
      embedCalls.push(structuredClone(call.request));
      return embedded(call, models[0]?.id);
    },
    countTokens: async ({ request }) => ({
      tokens: Math.ceil(promptChars(request) / CHARS_PER_TOKEN),
      exact: true,
    }),
    listModels: async () => structuredClone(models),
  });
  return Object.assign(adapter, { calls, embedCalls }) as FakeAdapter;
}

function embedded({ endpoint, request }: Call<EmbedRequest>, fallback: string | undefined): EmbedResult {
  const texts = typeof request.input === 'string' ? [request.input] : request.input;
  const model = request.model ?? endpoint.model ?? fallback;
  const promptTokens = texts.reduce((sum, { length }) => sum + Math.ceil(length / CHARS_PER_TOKEN), 0);
  return {
    embeddings: texts.map(text => vectorOf(text, request.dimensions ?? DIMENSIONS)),
    ...(model === undefined ? {} : { model }),
    usage: { promptTokens, completionTokens: 0, totalTokens: promptTokens, source: 'reported' },
  };
}

/** A vector of length 1 whose direction the text decides. */
function vectorOf(text: string, dimensions: number): number[] {
  let seed = 0;
  for (const char of text) seed = (Math.imul(seed, 31) + (char.codePointAt(0) ?? 0)) >>> 0;
  const random = randomFrom(seed);
  const vector = Array.from({ length: dimensions }, () => random() * 2 - 1);
  const norm = Math.hypot(...vector);
  return vector.map(value => value / norm);
}
