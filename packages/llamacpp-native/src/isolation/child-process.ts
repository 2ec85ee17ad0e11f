import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { type CallRequest, type ChildCall, ChildCalls } from './child-calls.ts';
import { childEntry } from './child-entry.ts';
import { crashError, type Exit } from './crash.ts';
import type { Method, Order, Report, StartOptions } from './protocol.ts';

/** Of the child's stderr so many characters are kept, the last ones. */
const STDERR_CHARS = 2_000;

/** Longest wait for a child that should end by itself, in milliseconds; it may be in the midst of an evaluation. */
const CLOSE_MS = 30_000;

/**
 * The process that an engine runs in, from its start to its end. It keeps this process alive while a call is under
 * way and no longer, and it ends with this process, however that ends.
 */
export class EngineProcess {
  readonly #process: ChildProcess;
  readonly #calls: ChildCalls;
  readonly #over: Promise<void>;
  #stderr = '';
  #closing = false;

  /** @param onCallback one of the options' functions was called in the child */
  constructor(options: StartOptions, onCallback: (name: string, args: unknown[]) => void) {
    const { path, execArgv } = childEntry();
    // The environment is inherited, arguments there are none: what a call holds travels by the channel alone.
    this.#process = fork(path, {
      execArgv,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
    });
    this.#calls = new ChildCalls(
      order => this.#send(order),
      count => this.#hold(count > 0),
    );
    this.#process.on('message', (reports: Report[]) => {
      for (const report of reports) {
        // What a function of the app throws must not stop the reports behind it.
        if (report.type === 'callback') queueMicrotask(() => onCallback(report.name, report.args));
        else this.#calls.receive(report);
      }
    });
    this.#over = new Promise(resolve => {
      const end = (exit: Omit<Exit, 'stderr'>) => {
        this.#calls.fail(endpoint => crashError({ ...exit, stderr: this.#stderr }, endpoint));
        resolve();
      };
      // Later than `exit`: by now everything that it has sent is read.
      this.#process.once('close', (code, signal) => end({ code, signal }));
      this.#process.on('error', failure => end({ failure }));
    });
    this.#hold(false);
    this.#send({ type: 'start', ...options });
  }

  /** False once it takes no more calls. */
  get running(): boolean {
    const { connected, exitCode, signalCode } = this.#process;
    return connected && exitCode === null && signalCode === null && !this.#closing;
  }

  /** @throws AirframeError as {@link ChildCalls.open} */
  call(method: Method, request: CallRequest): ChildCall {
    return this.#calls.open(method, request);
  }

  /** Resolves when the process is gone: as soon as what it evaluates is done, and its models are freed. */
  async close(): Promise<void> {
    if (this.running) this.#send({ type: 'close' });
    this.#closing = true;
    this.#hold(true);
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), CLOSE_MS);
    await this.#over;
    clearTimeout(timer);
  }

  #send(order: Order): void {
    // What cannot be delivered was for a process that is gone; `close` tells.
    this.#process.send(order, () => {});
  }

  /** Whether this process has to stay for the other one. */
  #hold(needed: boolean): void {
    const hold = needed || this.#closing ? 'ref' : 'unref';
    this.#process[hold]();
    this.#process.channel?.[hold]();
    (this.#process.stderr as Socket | null)?.[hold]();
  }
}
