import { createInterface } from 'node:readline';
import { isAirframeError, type Message } from '@x/airframe';
import type { Arguments } from './args.ts';
import { ask } from './ask.ts';
import { oneLine } from './problem.ts';
import { note, styled } from './screen.ts';
import { DEMO_HINT, type Setup } from './setup.ts';
import { statusLine } from './status.ts';

/** A conversation on the terminal, until Ctrl-D. Ctrl-C stops the answer that is being given, not the app; Ctrl-D both. */
export async function chat(setup: Setup, args: Arguments): Promise<void> {
  const messages: Message[] = [];
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: styled('bold', '› '),
  });
  let answering: AbortController | undefined;
  let left = false;
  lines.on('close', () => {
    left = true;
    answering?.abort();
  });
  lines.on('SIGINT', () => {
    if (answering) return answering.abort();
    note('\n(Ctrl-D leaves)');
    // A half-typed line goes, so that Ctrl-D finds an empty one.
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
    lines.prompt();
  });
  note(`Chat with ${setup.modelName}. Ctrl-C stops an answer, /clear starts anew, Ctrl-D leaves.`);
  if (setup.isDemo) note(DEMO_HINT);
  lines.prompt();
  for await (const line of lines) {
    const text = line.trim();
    if (text === '/exit' || text === '/quit') break;
    if (text === '/clear') {
      messages.length = 0;
      note('(a new conversation)');
    } else if (text !== '') {
      answering = new AbortController();
      await turn(setup, args, messages, text, answering.signal);
      answering = undefined;
    }
    // A prompt on the closed interface would open stdin again, and the app would never end.
    if (left) break;
    lines.prompt();
  }
  lines.close();
  process.stdout.write('\n');
}

/** One question and its answer, both added to the messages. */
async function turn(
  { gateway, waitingFor }: Setup,
  args: Arguments,
  messages: Message[],
  text: string,
  signal: AbortSignal,
): Promise<void> {
  messages.push({ role: 'user', content: text });
  let answer = '';
  const write = (piece: string) => {
    answer += piece;
    process.stdout.write(piece);
  };
  try {
    const response = await ask(gateway, { messages, args, signal, waitingFor, write });
    messages.push(response.metadata.message ?? { role: 'assistant', content: answer });
    note(`\n${statusLine(response)}`);
  } catch (error) {
    // A stopped answer stays in the conversation as far as it came; a question without an answer is taken back.
    if (answer) messages.push({ role: 'assistant', content: answer });
    else messages.pop();
    const stopped = isAirframeError(error) && error.category === 'aborted';
    note(stopped ? '\n(stopped)' : `\n${oneLine(error)}`, 'yellow');
    if (isAirframeError(error) && error.category === 'context_length')
      note('(/clear starts a new conversation)');
  }
}
