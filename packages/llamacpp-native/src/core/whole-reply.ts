import type { Reply } from '@x/airframe';

/**
 * Keeps what is said and thought until the reply ends, so that it comes in one piece. llama.cpp is asked for a stream
 * all the same: of an answer that it sends whole nobody would know, when it is given up, what it has cost.
 */
export function whole(reply: Reply): Reply {
  const { text, reasoning, finish } = reply;
  const held = { text: '', reasoning: '' };
  return Object.assign(reply, {
    text(piece: string): void {
      held.text += piece;
    },
    reasoning(piece: string): void {
      held.reasoning += piece;
    },
    finish(reason: Parameters<Reply['finish']>[0]): void {
      reasoning.call(reply, held.reasoning);
      text.call(reply, held.text);
      held.text = '';
      held.reasoning = '';
      finish.call(reply, reason);
    },
  });
}
