import type { ChatMessage, Engine, Generated, GenerateOptions, LoadOptions, Model } from '../src/engine.ts';

/** Pieces a generation gives; a function is awaited where it stands, so a test can hold it up. */
export type Script = (string | (() => Promise<unknown>))[];

/** An engine of words instead of llama.cpp. The words of a generation are chosen by its prompt. */
export class FakeEngine implements Engine {
  readonly abilities = ['embed', 'countTokens'] as const;
  readonly loads: LoadOptions[] = [];
  readonly prompts: string[] = [];
  readonly generates: GenerateOptions[] = [];
  made = 0;
  closed = 0;
  disposed = 0;
  /** Awaited by each load, until it is given up. */
  loadGate: () => Promise<unknown> = async () => {};
  readonly embedded: string[] = [];
  /** Awaited by each text to embed. */
  embedGate: () => Promise<unknown> = async () => {};
  readonly #scripts: Record<string, Script>;

  constructor(scripts: Record<string, Script> = {}) {
    this.#scripts = scripts;
  }

  async load(options: LoadOptions): Promise<Model> {
    this.loads.push(options);
    const givenUp = new Promise<never>((_, reject) => {
      options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
    });
    await Promise.race([this.loadGate(), givenUp]);
    return {
      facts: {
        name: 'fake',
        path: options.path,
        parameters: 1,
        contextTokens: 64,
        trainedContextTokens: 64,
        threads: 1,
        gpuLayers: 0,
        parallel: 1,
      },
      chatPrompt: (messages: readonly ChatMessage[]) => messages.map(m => m.content).join('|'),
      generate: options => this.#generate(options),
      countTokens: prompt => prompt.split(' ').length,
      embed: async text => {
        this.embedded.push(text);
        await this.embedGate();
        return { vector: [text.length, 1], tokens: text.split(' ').length };
      },
      dispose: async () => {
        this.disposed++;
      },
    };
  }

  async *#generate(options: GenerateOptions): AsyncGenerator<Generated> {
    this.prompts.push(options.prompt);
    this.generates.push(options);
    try {
      yield { type: 'prompt', promptTokens: 7, cachedTokens: 2 };
      let completionTokens = 0;
      for (const step of this.#scripts[options.prompt] ?? ['one ', 'two']) {
        if (typeof step === 'function') {
          await step();
          continue;
        }
        completionTokens++;
        this.made++;
        yield { type: 'piece', text: step, completionTokens };
      }
      yield { type: 'end', reason: 'stop', promptMs: 1, generationMs: 2 };
    } finally {
      this.closed++;
    }
  }
}
