import { type Limit, type LimitRule, limitsOf } from './rules.ts';

/** Most agents, keys and tags remembered. */
const MAX_SEEN = 1_000;

/** Whom the rules have been applied to, for a survey of what is used. */
export class Subjects {
  readonly #fixed: readonly Limit[];
  /** Of rules that each subject has for itself: the one seen last stands last. */
  readonly #seen = new Map<string, { rule: LimitRule; subject: string }>();

  constructor(rules: readonly LimitRule[]) {
    this.#fixed = rules
      .filter(({ scope, match }) => scope === 'all' || match !== undefined)
      .flatMap(rule => limitsOf(rule, rule.match ?? ''));
  }

  saw(rule: LimitRule, subject: string): void {
    if (rule.scope === 'all' || rule.match !== undefined) return;
    const key = JSON.stringify([rule.name, subject]);
    this.#seen.delete(key);
    this.#seen.set(key, { rule, subject });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MAX_SEEN && oldest !== undefined) this.#seen.delete(oldest);
  }

  limits(): Limit[] {
    return [
      ...this.#fixed,
      ...[...this.#seen.values()].flatMap(({ rule, subject }) => limitsOf(rule, subject)),
    ];
  }
}
