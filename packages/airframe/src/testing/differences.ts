import { REDACTED } from '../transport/redact.ts';
import type { RecordedRequest } from './recording.ts';

/** Characters of a value that an error shows. */
const SHOWN_CHARS = 60;

/** Method, and path with query; the host is not compared: a local server gets another port every time. */
export function routeOf({ method, url }: RecordedRequest): string {
  const { pathname, search } = new URL(url);
  return `${method} ${pathname}${search}`;
}

/** True when a text is what was recorded, whatever stood where the recording has `***`. */
export function isLike(recorded: string, asked: string): boolean {
  const [first = '', ...rest] = recorded.split(REDACTED);
  const last = rest.pop();
  if (last === undefined) return recorded === asked;
  if (!asked.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = asked.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return asked.length - last.length >= at && asked.endsWith(last);
}

/** Takes the secrets out of a text. */
export type Clean = (text: string) => string;

/**
 * What tells two bodies apart, a line for each place. The order of keys in JSON says nothing.
 * @param clean for the values that the lines show
 */
export function bodyDifferences(recorded: RecordedRequest, asked: RecordedRequest, clean: Clean): string[] {
  return [...differences(bodyOf(recorded), bodyOf(asked), clean, 'body')];
}

function bodyOf({ json, text }: RecordedRequest): unknown {
  if (text === undefined) return json;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function* differences(recorded: unknown, asked: unknown, clean: Clean, path: string): Generator<string> {
  if (isObject(recorded) && isObject(asked) && Array.isArray(recorded) === Array.isArray(asked)) {
    for (const key of new Set([...Object.keys(recorded), ...Object.keys(asked)])) {
      yield* differences(recorded[key], asked[key], clean, `${path}.${key}`);
    }
    return;
  }
  const same =
    typeof recorded === 'string' && typeof asked === 'string' ? isLike(recorded, asked) : recorded === asked;
  if (!same)
    yield `${path}: recorded ${shown(recorded, asked, clean)}, asked ${shown(asked, recorded, clean)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A value, cut so that the first place where it differs from the other is seen. */
function shown(value: unknown, other: unknown, clean: Clean): string {
  if (value === undefined) return 'nothing';
  const [text, otherText] = [clean(JSON.stringify(value)), clean(JSON.stringify(other) ?? '')];
  if (text.length <= SHOWN_CHARS) return text;
  let at = 0;
  while (at < text.length && text[at] === otherText[at]) at++;
  const from = Math.max(0, Math.min(at - SHOWN_CHARS / 3, text.length - SHOWN_CHARS));
  const end = from + SHOWN_CHARS;
  return `${from > 0 ? '…' : ''}${text.slice(from, end)}${end < text.length ? '…' : ''}`;
}
