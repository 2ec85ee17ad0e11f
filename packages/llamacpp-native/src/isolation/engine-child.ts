import type { CallRequest, ChildCall } from './child-calls.ts';
import { EngineProcess } from './child-process.ts';
import { crashError } from './crash.ts';
import type { Method } from './protocol.ts';
import { startOptions } from './start-options.ts';

/** The engine's process, whichever it is: it starts with the first call, and anew with the one after a crash. */
export class EngineChild {
  readonly #options: Record<string, unknown>;
  #process: EngineProcess | undefined;

  /** @param options of the adapter. Its functions are called here, wherever the engine is. */
  constructor(options: object) {
    this.#options = { ...options };
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  /** @throws AirframeError when there can be no process, or it cannot be given the call */
  call(method: Method, request: CallRequest): ChildCall {
    if (!this.#process?.running) this.#process = this.#start(request);
    return this.#process.call(method, request);
  }

  async close(): Promise<void> {
    await this.#process?.close();
  }

  #start({ endpoint }: CallRequest): EngineProcess {
    const options = startOptions(this.#options);
    try {
      return new EngineProcess(options, (name, args) => {
        (this.#options[name] as (...args: unknown[]) => void)(...args);
      });
    } catch (cause) {
      throw crashError({ failure: cause as Error, stderr: '' }, endpoint);
    }
  }
}
