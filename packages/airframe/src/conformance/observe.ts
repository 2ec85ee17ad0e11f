import { getEventListeners } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Adapter, InferOptions } from '../adapter.ts';
import type { InferenceStreamEvent } from '../events.ts';
import type { InferenceRequest } from '../request.ts';
import type { InferenceStream, Step } from '../serial-stream.ts';
import type { CallerScript, ConformanceCase } from './conformance-case.ts';
import { type ScriptedBackend, scriptedBackend } from './scripted-backend.ts';
import { type ConformanceSubject, hasDialect } from './subject.ts';

/** Longest wait for anything that should come by itself, in milliseconds. */
const PATIENCE_MS = 15_000;
/** Longest time that a socket may take to close, in milliseconds. */
const CLOSING_MS = 3_000;
/** A backend that has stopped sending for so long is waiting for its reader, in milliseconds. */
const QUIET_MS = 300;

/** All that was seen of one case; the invariants are checked on it. */
export interface Observation {
  subject: ConformanceSubject;
  case: ConformanceCase;
  adapter: Adapter;
  endpointName: string;
  events: InferenceStreamEvent[];
  /** True once the stream has said that there is no more. */
  ended: boolean;
  /** The caller left before the end. */
  left: boolean;
  /** What came out of the stream behind its end. */
  behindEnd: InferenceStreamEvent[];
  /** What was thrown where nothing may be. */
  thrown: unknown;
  /** The wait for something that did not come. */
  hung: string | undefined;
  /** Listeners on the caller's signal after the end. */
  listeners: number;
  /** Inferences that the backend was asked for; undefined without a scripted one. */
  requests: readonly string[] | undefined;
  /** Headers of all requests at the backend; undefined without a scripted one. */
  headers: readonly IncomingHttpHeaders[] | undefined;
  /** Answers that the backend still writes after the end. */
  stillAnswering: number;
  /** Bytes that the backend could send to a caller who did not read. */
  bytesWhileStalled: number;
}

/** Plays a case through a new adapter. Resolves in any case. */
export async function observe(subject: ConformanceSubject, of: ConformanceCase): Promise<Observation> {
  const { dialect } = subject;
  const backend = dialect && (await scriptedBackend(of.backend ?? {}, dialect));
  const url = of.caller?.wrongPort ? await closedPort() : (backend?.url ?? '');
  const play = new Play(subject, of, url, backend);
  try {
    await play.run();
    return play.seen;
  } finally {
    await play.seen.adapter.close();
    await backend?.close();
  }
}

class Play {
  readonly seen: Observation;
  readonly #caller: CallerScript;
  readonly #url: string;
  readonly #backend: ScriptedBackend | undefined;
  readonly #abort = new AbortController();

  constructor(
    subject: ConformanceSubject,
    of: ConformanceCase,
    url: string,
    backend: ScriptedBackend | undefined,
  ) {
    this.#caller = of.caller ?? {};
    this.#url = url;
    this.#backend = backend;
    this.seen = {
      subject,
      case: of,
      adapter: subject.adapter(),
      endpointName: subject.endpoint(url).name,
      events: [],
      ended: false,
      left: false,
      behindEnd: [],
      thrown: undefined,
      hung: undefined,
      listeners: 0,
      requests: backend?.requests,
      headers: backend?.headers,
      stillAnswering: 0,
      bytesWhileStalled: 0,
    };
  }

  async run(): Promise<void> {
    const { seen } = this;
    try {
      const stream = await this.#open();
      await this.#read(stream);
      if (seen.ended || seen.left) await this.#lookBehind(stream);
    } catch (error) {
      if (error instanceof Hung) seen.hung = error.message;
      else seen.thrown = error;
    }
    seen.listeners = getEventListeners(this.#abort.signal, 'abort').length;
    seen.stillAnswering = await this.#answeringAfterEnd();
  }

  async #open(): Promise<InferenceStream> {
    const { abort, close, timeouts, headers } = this.#caller;
    if (abort === 'before') this.#abort.abort();
    if (close === 'before') await this.seen.adapter.close();
    const options: InferOptions = {
      signal: this.#abort.signal,
      ...(timeouts ? { timeouts } : {}),
      ...(headers ? { headers } : {}),
    };
    const endpoint = this.seen.subject.endpoint(this.#url);
    return this.seen.adapter.streamInfer(endpoint, this.#request(), options);
  }

  #request(): InferenceRequest {
    const tools = [
      { name: 'weather', parameters: { type: 'object' } },
      { name: 'time', parameters: { type: 'object' } },
    ];
    return {
      messages: [{ role: 'user', content: 'Say hello.' }],
      maxTokens: 64,
      ...(this.seen.case.needs === 'tools' ? { tools } : {}),
      ...this.seen.subject.request,
      ...this.#caller.request,
    } as InferenceRequest;
  }

  async #read(stream: InferenceStream): Promise<void> {
    const { abort, leave, close, stalls, readsAhead } = this.#caller;
    if (readsAhead) return this.#readAhead(stream);
    const { seen } = this;
    for (;;) {
      const next = stream.next();
      if (seen.events.length === 0 && (abort === 'waiting' || leave === 'waiting')) {
        await this.#untilAsked();
        if (abort) this.#abort.abort();
        else return this.#leave(stream, next);
      }
      const step = await patient(next, 'an event');
      if (step.done) {
        seen.ended = true;
        return;
      }
      seen.events.push(step.value);
      const reached = (at: unknown) =>
        typeof at === 'object' && at !== null && 'afterEvents' in at && at.afterEvents === seen.events.length;
      if (reached(abort)) this.#abort.abort();
      if (reached(close)) await seen.adapter.close();
      if (reached(leave)) {
        if (stalls) seen.bytesWhileStalled = await this.#untilQuiet();
        return this.#leave(stream);
      }
    }
  }

  async #leave(stream: InferenceStream, pending?: Promise<Step>): Promise<void> {
    this.seen.left = true;
    await patient(Promise.resolve(stream.return?.()), 'the end of return()');
    if (pending) await patient(pending, 'the read that was pending at return()');
  }

  async #readAhead(stream: InferenceStream): Promise<void> {
    for (;;) {
      const steps = await patient(Promise.all([stream.next(), stream.next(), stream.next()]), 'three events');
      for (const step of steps) {
        if (!step.done) this.seen.events.push(step.value);
      }
      this.seen.ended = steps.some(({ done }) => done);
      if (this.seen.ended) return;
    }
  }

  /** A stream that is over stays so, and may be left any number of times. */
  async #lookBehind(stream: InferenceStream): Promise<void> {
    await patient(Promise.resolve(stream.return?.()), 'the end of return()');
    const step = await patient(stream.next(), 'the end of the stream once more');
    if (!step.done) this.seen.behindEnd.push(step.value);
  }

  async #untilAsked(): Promise<void> {
    await this.#until(() => (this.#backend?.requests.length ?? 1) > 0, 'a request at the backend');
  }

  /** An answer that the backend goes on writing costs its user money. Sockets take a moment to close. */
  async #answeringAfterEnd(): Promise<number> {
    const answering = () => this.#backend?.answering ?? 0;
    await this.#until(() => answering() === 0, '', CLOSING_MS).catch(() => {});
    return answering();
  }

  async #untilQuiet(): Promise<number> {
    let before = -1;
    await this.#until(async () => {
      const now = this.#backend?.bytesTaken ?? 0;
      const quiet = now === before;
      before = now;
      if (!quiet) await sleep(QUIET_MS);
      return quiet;
    }, 'a backend that stops sending to a caller who does not read');
    return before;
  }

  async #until(holds: () => boolean | Promise<boolean>, what: string, ms = PATIENCE_MS): Promise<void> {
    const giveUpAt = performance.now() + ms;
    while (!(await holds())) {
      if (performance.now() > giveUpAt) throw new Hung(what);
      await sleep(5);
    }
  }
}

class Hung extends Error {}

async function patient<T>(promise: Promise<T>, what: string): Promise<T> {
  const timer = new AbortController();
  const never = sleep(PATIENCE_MS, undefined, { signal: timer.signal }).then(() => {
    throw new Hung(what);
  });
  never.catch(() => {});
  try {
    return await Promise.race([promise, never]);
  } finally {
    timer.abort();
  }
}

/** An address at which nobody listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** True when the answer comes from the kit's script, so that its text and figures are known. */
export function isScripted({ subject, case: { caller } }: Observation): boolean {
  return hasDialect(subject) && !caller?.wrongPort;
}
