import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { AirframeError, ERROR_CATEGORIES, type ErrorCategory } from '../errors.ts';
import type { HttpRequest } from '../transport/http.ts';
import { check } from '../validate.ts';

/** The shape of recordings that this version writes and reads. */
export const RECORDING_VERSION = 1;

/** What was asked. `***` stands where a secret stood. */
export interface RecordedRequest {
  method: HttpRequest['method'];
  url: string;
  headers: Record<string, string>;
  /** The body, when it is JSON that can be put back exactly. */
  json?: unknown;
  /** Any other body. */
  text?: string;
}

/** A piece of a body as it arrived; exactly one of `text` and `base64`. A byte of a secret is a `*`. */
export interface RecordedChunk {
  /** Milliseconds since the request, as every `atMs` here. */
  atMs: number;
  /** The bytes, when they are valid UTF-8 by themselves. */
  text?: string;
  /** The bytes, when they are not. */
  base64?: string;
}

/** As much of an AirframeError as a replay needs to throw it again. */
export interface RecordedError {
  category: ErrorCategory;
  code?: string;
  problem: string;
  remedy?: string;
  retryable: boolean;
}

/**
 * `end`: the body was read to its end. `left`: its reader closed it before that. `fault`: the connection failed.
 * `aborted`: the request's signal fired, on the caller's wish or an expired deadline; the error is its reason.
 */
export type RecordedEnd =
  | { atMs: number; how: 'end' | 'left' }
  | { atMs: number; how: 'fault' | 'aborted'; error: RecordedError };

/** One request and what came of it. */
export interface RecordedExchange {
  request: RecordedRequest;
  /** Milliseconds until the socket was open; absent when it never was. */
  connectedMs?: number;
  /** Absent when the exchange ended before the headers. */
  response?: { atMs: number; status: number; headers: Record<string, string> };
  chunks: RecordedChunk[];
  /** Absent: it was still under way when the recording was taken. */
  end?: RecordedEnd;
}

/** Everything that went through a recorder. Plain JSON. */
export interface Recording {
  version: typeof RECORDING_VERSION;
  exchanges: RecordedExchange[];
}

const atMs = z.number().min(0);
const headers = z.record(z.string(), z.string());
const error = z.strictObject({
  category: z.enum(ERROR_CATEGORIES),
  code: z.string().exactOptional(),
  problem: z.string(),
  remedy: z.string().exactOptional(),
  retryable: z.boolean(),
});

const exchange: z.ZodType<RecordedExchange> = z.strictObject({
  request: z.strictObject({
    method: z.enum(['GET', 'POST']),
    url: z.url(),
    headers,
    json: z.unknown().optional(),
    text: z.string().exactOptional(),
  }),
  connectedMs: atMs.exactOptional(),
  response: z.strictObject({ atMs, status: z.int(), headers }).exactOptional(),
  chunks: z.array(
    z
      .strictObject({ atMs, text: z.string().exactOptional(), base64: z.base64().exactOptional() })
      .refine(({ text, base64 }) => (text === undefined) !== (base64 === undefined), {
        error: 'has to hold either text or base64, and not both',
      }),
  ),
  end: z
    .discriminatedUnion('how', [
      z.strictObject({ atMs, how: z.enum(['end', 'left']) }),
      z.strictObject({ atMs, how: z.enum(['fault', 'aborted']), error }),
    ])
    .exactOptional(),
});

const recordingSchema: z.ZodType<Recording> = z.strictObject({
  version: z.literal(RECORDING_VERSION),
  exchanges: z.array(exchange),
});

/**
 * The value, when it is a recording.
 * @param what stands in the error: what the value is, and where it comes from
 * @throws AirframeError (invalid_request) naming every problem
 */
export function checkRecording(value: unknown, what: string): Recording {
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== RECORDING_VERSION) {
    const problem = `${what} has version ${version}, and this package reads version ${RECORDING_VERSION}`;
    throw new AirframeError('invalid_request', problem, { remedy: 'record it again' });
  }
  return check(recordingSchema, value, what);
}

/** Writes a recording as JSON. Makes the folders it needs; a file there is replaced as a whole or not at all. */
export async function saveRecording(path: string | URL, recording: Recording): Promise<void> {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const draft = `${file}.${randomUUID()}.tmp`;
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(draft, `${JSON.stringify(recording, undefined, 2)}\n`);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/**
 * Reads a recording that {@link saveRecording} wrote.
 * @throws AirframeError (invalid_request) naming the file and what is wrong with it
 */
export async function loadRecording(path: string | URL): Promise<Recording> {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  const what = `recording ${file}`;
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    throw code === 'ENOENT'
      ? new AirframeError('invalid_request', `${what} does not exist`, { remedy: 'record it first', cause })
      : new AirframeError('invalid_request', `${what} cannot be read: ${message.replace(/\s+/g, ' ')}`, {
          cause,
        });
  }
  return checkRecording(value, what);
}
