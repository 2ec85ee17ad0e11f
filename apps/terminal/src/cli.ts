#!/usr/bin/env node
import { isAirframeError } from '@x/airframe';
import { SettingsError } from '@x/avionics';
import { type Arguments, HELP, parseArguments, UsageError } from './args.ts';
import { ask } from './ask.ts';
import { chat } from './chat.ts';
import { EXIT, oneLine } from './problem.ts';
import { isInteractive, note } from './screen.ts';
import { DEMO_HINT, type Setup, setUp } from './setup.ts';
import { statusLine } from './status.ts';

// A reader that goes away (`… | head -1`) ends the app; it is no error.
process.stdout.on('error', error =>
  process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : EXIT.failed),
);
// What stands on stderr only tells about the answer; it is no reason to lose it.
process.stderr.on('error', () => {});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  note(oneLine(error), 'red');
  process.exitCode = isUsers(error) ? EXIT.usage : EXIT.failed;
}

async function main(argv: string[]): Promise<number> {
  const args = parseArguments(argv);
  if (args.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const interactive = args.prompt === '' && isInteractive() && !args.json;
  const prompt = interactive ? '' : args.prompt || (await readStdin());
  if (!interactive && prompt === '') throw new UsageError('the prompt is empty; give one, or --help for how');
  const setup = setUp(args);
  try {
    if (interactive) await chat(setup, args);
    else return await answerOnce(setup, args, prompt);
  } finally {
    await setup.gateway.close();
  }
  return 0;
}

async function answerOnce(
  { gateway, waitingFor, isDemo }: Setup,
  args: Arguments,
  prompt: string,
): Promise<number> {
  const stop = new AbortController();
  // Not `once`: a library in this process takes an interrupt without a listener for its own to end it.
  process.on('SIGINT', () => stop.abort());
  let last = '';
  const write = (text: string) => {
    last = text;
    if (!args.json) process.stdout.write(text);
  };
  try {
    const response = await ask(gateway, {
      messages: [{ role: 'user', content: prompt }],
      args,
      signal: stop.signal,
      waitingFor,
      write,
    });
    if (args.json) {
      process.stdout.write(`${JSON.stringify(response, null, 2)}\n`);
      return 0;
    }
    if (!last.endsWith('\n')) process.stdout.write('\n');
    note(statusLine(response));
    if (isDemo) note(DEMO_HINT);
    return 0;
  } catch (error) {
    if (last && !last.endsWith('\n') && !args.json) process.stdout.write('\n');
    if (!stop.signal.aborted) throw error;
    note('stopped');
    return EXIT.stopped;
  }
}

async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) return '';
  process.stdin.setEncoding('utf8');
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  return text.trim();
}

function isUsers(error: unknown): boolean {
  return (
    error instanceof UsageError ||
    error instanceof SettingsError ||
    (isAirframeError(error) && error.category === 'invalid_request')
  );
}
