import type { CompletionRequest } from '@x/avionics';
import { PASSED_ON } from '../openai-chat/wire.ts';
import type { Asked } from '../protocol.ts';
import { leftOut, picked, readBody, unsupported } from '../read.ts';
import { CompletionsAnswer } from './answer.ts';
import { completionsRequestSchema, KNOWN } from './wire.ts';

/** What a client of Completions asks. @throws AirframeError (invalid_request) */
export function readCompletions(body: unknown): Asked {
  const asked = readBody(completionsRequestSchema, body);
  if ((asked.n ?? 1) !== 1 || (asked.best_of ?? 1) !== 1)
    unsupported('n', 'the gateway gives one answer a call');
  if (asked.logprobs) unsupported('logprobs', 'not every provider has them; leave it out');
  if (asked.suffix) unsupported('suffix', 'leave it out');
  const prompt = typeof asked.prompt === 'string' ? asked.prompt : (asked.prompt[0] ?? '');
  const request: CompletionRequest = { rawPrompt: prompt };
  const { temperature, top_p, max_tokens, seed, stop } = asked;
  if (temperature != null) request.temperature = temperature;
  if (top_p != null) request.topP = top_p;
  if (max_tokens != null) request.maxTokens = max_tokens;
  if (seed != null) request.seed = seed;
  if (stop != null) request.stop = typeof stop === 'string' ? [stop] : stop;
  const extra = picked(asked, PASSED_ON);
  if (extra) request.extra = extra;
  return {
    model: asked.model ?? '',
    stream: asked.stream ?? false,
    request,
    ignored: leftOut(asked, KNOWN),
    answer: facts =>
      new CompletionsAnswer(facts, {
        includeUsage: asked.stream_options?.include_usage ?? false,
        echo: asked.echo ? prompt : '',
      }),
  };
}
