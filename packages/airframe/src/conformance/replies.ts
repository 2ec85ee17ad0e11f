import type { ScriptedReply } from './subject.ts';

const WORDS = [
  'Hello',
  ', ',
  'wörld',
  ' — ',
  '你好',
  ' ',
  '🌍🚀',
  ' "quoted" \\ and\n',
  'a new line',
  '\u2028',
  '.',
];

/** Characters of one to four bytes, quotes and line separators. */
export const TEXT: ScriptedReply = {
  text: WORDS,
  toolCalls: [],
  finishReason: 'stop',
  promptTokens: 21,
  completionTokens: 13,
};

export const CUT_TEXT: ScriptedReply = { ...TEXT, finishReason: 'length' };

export const TWO_CALLS: ScriptedReply = {
  text: ['Let me look.'],
  toolCalls: [
    { id: 'call_a1', name: 'weather', arguments: ['{"city":', '"Zürich 🌦"', ',"days":3}'] },
    { id: 'call_b2', name: 'time', arguments: ['{"zone":"UTC"}'] },
  ],
  finishReason: 'tool_calls',
  promptTokens: 40,
  completionTokens: 25,
};

/** One event of a megabyte. */
export const HUGE_EVENT: ScriptedReply = { ...TEXT, text: ['x'.repeat(1024 * 1024), ' end'] };

/** One event that no reader should keep. */
export const OVERSIZED_EVENT: ScriptedReply = { ...TEXT, text: ['before ', 'x'.repeat(17 * 1024 * 1024)] };

/** Tens of megabytes, for a caller that does not read them. */
export const LONG: ScriptedReply = { ...TEXT, text: new Array<string>(40_000).fill('word '.repeat(200)) };
