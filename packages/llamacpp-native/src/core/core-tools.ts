import type { AdapterDefinition, InferenceCall, Reply } from '@x/airframe';
import type { ModelEndpoint } from '../endpoint-models.ts';
import type { Use } from '../pool-member.ts';
import type { LlamaCppExtra } from '../request.ts';
import { constrained } from '../tools/constrained.ts';
import { plainRequest } from '../tools/plain-request.ts';
import type { CoreModel } from './core-model.ts';

type Definition = Required<AdapterDefinition<LlamaCppExtra>>;
export type Infer = Definition['infer'];
export type CountTokens = Definition['countTokens'];
type Call = InferenceCall<LlamaCppExtra>;

/** Waits for the model of an endpoint. */
type UseModel = (endpoint: ModelEndpoint, signal: AbortSignal) => Promise<Use<Pick<CoreModel, 'facts'>>>;

/** What llama.cpp does when a chat template has no format for tools is to answer as if there were none. */
export async function* inferWithTools(
  call: Call,
  reply: Reply,
  use: UseModel,
  infer: Infer,
): AsyncGenerator<void> {
  const { model, done } = await waitFor(call, use);
  try {
    yield* await (model.facts.toolCalls ? infer : constrained(infer))(call, reply);
  } finally {
    // Not sooner: it would have to be loaded again, should others have taken its place.
    done();
  }
}

/** The tokens of what {@link inferWithTools} sends. */
export async function countWithTools(
  call: Call,
  use: UseModel,
  countTokens: CountTokens,
): ReturnType<CountTokens> {
  const { model, done } = await waitFor(call, use);
  try {
    const { request } = call;
    return await countTokens({ ...call, request: model.facts.toolCalls ? request : plainRequest(request) });
  } finally {
    done();
  }
}

function waitFor({ endpoint, signal, deadlines }: Call, use: UseModel): ReturnType<UseModel> {
  deadlines.enter('headers');
  return use(endpoint, signal);
}
