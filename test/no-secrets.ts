// Runs ahead of every test file: whatever the suite's calls bring forth is searched for the keys that they were made with.
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { inspect } from 'node:util';
import { afterAll } from 'vitest';
import { AirframeError } from '../packages/airframe/src/errors.ts';
import { Calls, EventStream } from '../packages/airframe/src/event-stream.ts';
import { secretsOf } from '../packages/airframe/src/transport/redact.ts';

/** Shorter ones are found in any text. */
const MIN_KEY_CHARS = 6;

const keys = new Set<string>();
const outputs = new Map<string, string>();

/** @returns where a key stands: `event: ***` with what is around it */
export function leaks(texts: Iterable<[string, string]> = outputs, of: Iterable<string> = keys): string[] {
  const found: string[] = [];
  for (const [text, what] of texts) {
    for (const key of of) {
      const at = text.indexOf(key);
      if (at >= 0) found.push(`${what}: …${text.slice(Math.max(0, at - 60), at)}***`);
    }
  }
  return found;
}

function note(what: string, value: unknown): void {
  if (keys.size === 0) return;
  outputs.set(
    typeof value === 'string' ? value : inspect(value, { depth: 12, maxStringLength: 200_000 }),
    what,
  );
}

const { begin } = Calls.prototype;
Calls.prototype.begin = function (endpoint, options) {
  for (const key of secretsOf(endpoint)) if (key.length >= MIN_KEY_CHARS) keys.add(key);
  return begin.call(this, endpoint, options);
};

const { next } = EventStream.prototype;
EventStream.prototype.next = async function () {
  const step = await next.call(this);
  // Texts of tokens are the test's own; errors and endings are where a key would show.
  if (step.value?.type === 'error' || step.value?.type === 'done') note(step.value.type, step.value);
  return step;
};

// Every error of a call gets its attempt log by this.
const withFacts = AirframeError.prototype.with;
AirframeError.prototype.with = function (changes) {
  const error = withFacts.call(this, changes);
  note('error', error);
  return error;
};

for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  stream.write = (...args: unknown[]) => {
    note('log', String(args[0]));
    return write(...args);
  };
}

const { writeFile } = fs;
fs.writeFile = async (...args) => {
  note('file', String(args[1]));
  return writeFile(...args);
};
syncBuiltinESMExports();

afterAll(() => {
  const found = leaks();
  if (found.length > 0) throw new Error(`a key came out:\n${found.join('\n')}`);
});
