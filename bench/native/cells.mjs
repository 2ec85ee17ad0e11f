// What is measured: kinds of work, and how many requests do it at once.

/** Requests that a server has slots for, and that are made at once in the cells of many. */
export const SLOTS = 4;
/** Of each request. */
export const CONTEXT_TOKENS = 1_024;
/** Words of a prompt, each of which is a token. */
export const PROMPT_WORDS = { generation: 16, prompt: 512 };
/** The first token of an answer comes with the prompt. */
export const ANSWER_TOKENS = { generation: 129, prompt: 1 };

export const CELLS = ['generation', 'prompt'].flatMap(kind =>
  [1, SLOTS].map(requests => ({ name: `${kind} ×${requests}`, kind, requests })),
);
