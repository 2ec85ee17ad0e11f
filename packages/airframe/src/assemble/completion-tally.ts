/**
 * Completion tokens of a backend that counts each choice of an answer by itself, as llama-server does with `n` above 1
 * (server-task.cpp, commit de3ff815, 2026-09-28). Only choice 0 is read, but all are generated.
 */
export class CompletionTally {
  readonly #tokens: number[] = [];
  /** Index of the choice that the counts are about; a chunk of counts alone follows the choice it belongs to. */
  choice = 0;

  /**
   * @param tokens of the choice so far, or in all
   * @returns those of all choices
   */
  count(tokens: number): number {
    this.#tokens[this.choice] = tokens;
    return this.#tokens.reduce((sum, one) => sum + one, 0);
  }
}
