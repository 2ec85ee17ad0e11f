// What the scripted upstream sends. The name of the model tells, as it is all that every gateway passes on.

/** Pieces as models make them: mostly 4 to 6 characters, no quotes. */
const PIECES = (
  'The| tower| gives| the| crew| a| wind| report|,| and| they| roll| out| slow|ly| along| the| taxi|way|.| Clouds| hang' +
  '| low| over| the| hills|,| but| north| of| the| river| the| sky| is| clear|.'
).split('|');

/** More events than anybody waits for. */
const ENDLESS = 1_000_000;

/** @returns the model whose answer has so many pieces: all at once, or one each `everyMs` milliseconds */
export const modelOf = ({ events = ENDLESS, everyMs }) =>
  everyMs === undefined ? `script-${events}` : `script-${events}-every-${everyMs}`;

/** @returns {{ events: number, everyMs?: number } | undefined} */
export function workloadOf(model) {
  const [, events, everyMs] = /^script-(\d{1,7})(?:-every-(\d+))?$/.exec(model) ?? [];
  return events && { events: Number(events), ...(everyMs && { everyMs: Number(everyMs) }) };
}

export const pieceOf = at => PIECES[at % PIECES.length];

/** The text of an answer of so many pieces. */
export const textOf = events => Array.from({ length: events }, (_, at) => pieceOf(at)).join('');

const common = model => ({
  id: 'chatcmpl-CkV7mQ2xYb9dT4nZr8sWfLhJpAeGu',
  created: 1764950400,
  model,
  service_tier: 'default',
  system_fingerprint: null,
});
const usageOf = events => ({
  prompt_tokens: 48,
  completion_tokens: events,
  total_tokens: 48 + events,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
});

/** The parts of a streamed answer: what comes first, each piece, what comes last. */
export function streamOf(model) {
  const data = value => `data: ${JSON.stringify(value)}\n\n`;
  const chunk = (choices, usage = null) =>
    data({ ...common(model), object: 'chat.completion.chunk', choices, usage });
  const choice = (delta, finish_reason = null) => [{ index: 0, delta, logprobs: null, finish_reason }];
  return {
    first: chunk(choice({ role: 'assistant', content: '', refusal: null })),
    piece: at => chunk(choice({ content: pieceOf(at) })),
    last: events => `${chunk(choice({}, 'stop'))}${chunk([], usageOf(events))}data: [DONE]\n\n`,
  };
}

/** An answer in one. */
export function replyOf(model, events) {
  const message = { role: 'assistant', content: textOf(events), refusal: null, annotations: [] };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
  return JSON.stringify({
    ...common(model),
    object: 'chat.completion',
    choices,
    usage: usageOf(events),
  });
}
