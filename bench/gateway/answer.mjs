// Whether an answer came whole: seen through in full where a row begins, and at a glance under load.
import { textOf } from './workload.mjs';

const PIECE = '"content":"';
const QUOTE = '"'.charCodeAt(0);
const DONE = Buffer.from('data: [DONE]\n\n');

/** Pieces of text in bytes of a stream; an empty one is none. */
export function countPieces(bytes) {
  let pieces = 0;
  for (let at = bytes.indexOf(PIECE); at !== -1; at = bytes.indexOf(PIECE, at + PIECE.length)) {
    if (bytes[at + PIECE.length] !== QUOTE) pieces++;
  }
  return pieces;
}

/** @throws Error when the answer is no answer, or the end or a piece is missing */
export function glance({ status, body, events, stream }) {
  const said = () => `status ${status}: ${body.toString().slice(0, 400)}`;
  if (status !== 200) throw new Error(said());
  if (!stream) {
    if (!body.includes('"finish_reason":"stop"')) throw new Error(said());
    return;
  }
  if (!body.subarray(-DONE.length).equals(DONE)) throw new Error(`no [DONE] at the end of ${said()}`);
  const pieces = countPieces(body);
  if (pieces !== events) throw new Error(`${pieces} events instead of ${events}`);
}

/** @throws Error when any of it is not as the upstream sent it */
export function inspect({ status, body, events, stream }) {
  glance({ status, body, events, stream });
  const chunks = stream
    ? body
        .toString()
        .split('\n')
        .filter(line => line.startsWith('data: {'))
        .map(line => JSON.parse(line.slice(6)))
    : [JSON.parse(body)];
  const choices = chunks.flatMap(chunk => chunk.choices);
  const text = choices.map(({ delta, message }) => (delta ?? message).content ?? '').join('');
  const problem =
    (text !== textOf(events) && `the text is ${JSON.stringify(text)}`) ||
    (choices.at(-1).finish_reason !== 'stop' && `it ends with ${choices.at(-1).finish_reason}`) ||
    (chunks.at(-1).usage?.completion_tokens !== events &&
      `the usage is ${JSON.stringify(chunks.at(-1).usage)}`);
  if (problem) throw new Error(`not as the upstream sent it: ${problem}`);
}
