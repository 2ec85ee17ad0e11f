import { randomInt } from 'node:crypto';
import { AirframeError } from '@x/airframe';
import type { Llama, LlamaGrammar, LlamaModel, SequenceEvaluateOptions, Token } from 'node-llama-cpp';
import type { GenerateOptions, Grammar, Sampling } from './engine.ts';

/** llama.cpp takes this one for "choose a seed". */
const NO_SEED = 0xffff_ffff;

/** How the binding has to sample; `accept` must be told each token. */
export interface Sampler {
  options: SequenceEvaluateOptions;
  accept(token: Token): void;
}

/**
 * llama-server's sampler chain in the binding's terms. Both go penalties, top-k, top-p, min-p, temperature, dist
 * in that order, so equal parameters and logits give equal tokens, seeds included.
 */
export async function samplerOptions(
  llama: Llama,
  model: LlamaModel,
  { sampling, grammar }: GenerateOptions,
  prompt: readonly Token[],
): Promise<Sampler> {
  const { temperature, topK, topP, minP } = sampling;
  const penalty = repeatPenalty(sampling, prompt);
  return {
    options: {
      temperature,
      topK,
      topP,
      minP,
      seed: seedOf(sampling.seed),
      // Counted like any other token, as llama-server does.
      yieldEogToken: true,
      ...(penalty ? { repeatPenalty: penalty.options } : {}),
      ...(grammar ? { grammarEvaluationState: await grammarState(llama, model, grammar) } : {}),
    },
    accept: token => penalty?.accept(token),
  };
}

/** The binding's own default is the time in seconds: two calls in one second would give the same answer. */
function seedOf(seed = -1): number {
  const given = seed < 0 ? NO_SEED : seed % (NO_SEED + 1);
  return given === NO_SEED ? randomInt(NO_SEED) : given;
}

function repeatPenalty(
  { repeatPenalty: penalty, repeatLastN: window }: Sampling,
  prompt: readonly Token[],
):
  | { options: NonNullable<SequenceEvaluateOptions['repeatPenalty']>; accept(token: Token): void }
  | undefined {
  if (penalty === 1 || window === 0) return undefined;
  // llama-server shows the prompt to the penalty sampler, too.
  const last = prompt.slice(-window);
  return {
    // The window must be told: with the default of 64 the binding would rebuild its sampler on every token.
    options: { penalty, punishTokens: () => last, maxPunishTokens: window },
    accept: token => {
      last.push(token);
      if (last.length > window) last.shift();
    },
  };
}

async function grammarState(llama: Llama, model: LlamaModel, grammar: Grammar): Promise<LlamaGrammarState> {
  const { LlamaGrammarEvaluationState } = await import('node-llama-cpp');
  try {
    const compiled =
      'gbnf' in grammar
        ? await llama.createGrammar({ grammar: grammar.gbnf })
        : 'json' in grammar
          ? await llama.getGrammarFor('json')
          : await schemaGrammar(llama, grammar.jsonSchema);
    return new LlamaGrammarEvaluationState({ model, grammar: compiled });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AirframeError('invalid_request', `llama.cpp cannot use this grammar: ${reason}`, {
      cause: error,
    });
  }
}

/** What the binding puts behind the JSON, for its own chats to stop at: a model could go on there as long as it likes. */
const BEHIND_JSON = ' "\\n\\n\\n\\n" [\\n]*';

/** What it takes for an integer: with an exponent below zero it is none. */
const [DIGITS, EXPONENT] = ['"-"? ("0" | [1-9] [0-9]{0,15})', ' ([eE] [-+]? ("0" | [1-9] [0-9]{0,15}))?'];

/** The binding's grammar for a schema, of what is JSON of the schema and nothing else. */
async function schemaGrammar(llama: Llama, schema: Record<string, unknown>): Promise<LlamaGrammar> {
  type Schema = Parameters<Llama['createGrammarForJsonSchema']>[0];
  const { grammar } = await llama.createGrammarForJsonSchema(schema as Schema);
  return llama.createGrammar({
    grammar: grammar.replace(BEHIND_JSON, '').replaceAll(DIGITS + EXPONENT, DIGITS),
  });
}

type LlamaGrammarState = InstanceType<typeof import('node-llama-cpp')['LlamaGrammarEvaluationState']>;
