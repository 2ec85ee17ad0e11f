import { type Phase, type Progress, type Report, WINDOW } from './protocol.ts';
import type { Write } from './reply-writes.ts';

/** Milliseconds between two messages under load. The first one after a pause goes at once. */
const INTERVAL_MS = 5;

/** Events of a call that are sent before that, so that it is never out of credit for what lies here. */
const FULL = WINDOW / 2;

/** Gathers what all calls report, so that under load a token does not cost the parent a wake-up each. */
export class Outbox {
  readonly #send: (reports: Report[]) => void;
  #reports: Report[] = [];
  #progress = new Map<number, Progress>();
  #sentAt = Number.NEGATIVE_INFINITY;

  constructor(send: (reports: Report[]) => void) {
    this.#send = send;
  }

  add(report: Report): void {
    if (this.#reports.push(report) === 1) this.#schedule();
  }

  wrote(id: number, write: Write): void {
    this.#progressOf(id).writes.push(write);
  }

  entered(id: number, phase: Phase): void {
    this.#progressOf(id).phase = phase;
  }

  /** The call has handed out one event more. */
  handedOut(id: number): void {
    const progress = this.#progressOf(id);
    if (++progress.events === FULL) this.#flush();
  }

  #progressOf(id: number): Progress {
    let progress = this.#progress.get(id);
    if (!progress) {
      progress = { type: 'progress', id, writes: [], events: 0 };
      this.#progress.set(id, progress);
      this.add(progress);
    }
    return progress;
  }

  #schedule(): void {
    const wait = this.#sentAt + INTERVAL_MS - performance.now();
    if (wait > 0) setTimeout(this.#flush, wait);
    else setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const reports = this.#reports;
    if (reports.length === 0) return;
    this.#reports = [];
    this.#progress.clear();
    this.#sentAt = performance.now();
    this.#send(reports);
  };
}
