import { type Answer, begun, isRunning } from './answer.ts';
import { chat } from './chat.ts';
import { bodyOf, type ChatMessage, type Settings } from './settings.ts';

/** A prompt and its answers, one of each model. */
export interface Turn {
  id: number;
  prompt: string;
  answers: readonly Answer[];
  /** Characters sent with it, for each model. */
  characters: readonly number[];
}

export interface ConversationSnapshot {
  turns: readonly Turn[];
  running: boolean;
}

/** Pieces that come closer together are shown at once. */
const SHOW_MS = 40;

/** What was said in the playground. With two models it is two conversations on the same prompts. */
export class Conversation {
  readonly #apiKey: string;
  readonly #listeners = new Set<() => void>();
  #turns: readonly Turn[] = [];
  #snapshot: ConversationSnapshot = { turns: [], running: false };
  #controller = new AbortController();
  #show: ReturnType<typeof setTimeout> | undefined;
  #turnsSoFar = 0;

  constructor(apiKey: string) {
    this.#apiKey = apiKey;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): ConversationSnapshot => this.#snapshot;

  /** Asks all models; nothing happens while answers are under way. */
  send(prompt: string, settings: Settings): void {
    if (this.#snapshot.running) return;
    const id = ++this.#turnsSoFar;
    const calls = settings.models.map((model, column) => {
      const messages = [...this.#history(column), { role: 'user' as const, content: prompt }];
      return { model, body: bodyOf(model, settings, messages) };
    });
    const answers = calls.map(({ model }) => begun(model, performance.now()));
    const characters = calls.map(({ body }) => JSON.stringify(body).length);
    this.#turns = [...this.#turns, { id, prompt, answers, characters }];
    this.#publish();
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    for (const [column, { model, body }] of calls.entries()) {
      const onAnswer = (answer: Answer) => this.#answered(id, column, answer);
      void chat({ apiKey: this.#apiKey, model, body, signal, onAnswer });
    }
  }

  stop(): void {
    this.#controller.abort();
  }

  clear(): void {
    this.stop();
    this.#turns = [];
    this.#publish();
  }

  /** What one model has been told and has said. Turns that brought no text are left out. */
  #history(column: number): ChatMessage[] {
    return this.#turns.flatMap(({ prompt, answers }) => {
      const answer = answers[column] ?? answers[0];
      if (!answer?.text) return [];
      return [
        { role: 'user', content: prompt },
        { role: 'assistant', content: answer.text },
      ];
    });
  }

  #answered(id: number, column: number, answer: Answer): void {
    this.#turns = this.#turns.map(turn =>
      turn.id === id
        ? { ...turn, answers: turn.answers.map((one, at) => (at === column ? answer : one)) }
        : turn,
    );
    if (isRunning(answer)) this.#show ??= setTimeout(() => this.#publish(), SHOW_MS);
    else this.#publish();
  }

  #publish(): void {
    clearTimeout(this.#show);
    this.#show = undefined;
    const running = this.#turns.at(-1)?.answers.some(isRunning) ?? false;
    this.#snapshot = { turns: this.#turns, running };
    for (const listener of this.#listeners) listener();
  }
}
