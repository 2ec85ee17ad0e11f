// Vitest's reporter of `pnpm proof:faults`: a line for each file on stderr, and all tests with their facts as JSON.
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';

export default class FactsReporter {
  #tests = [];
  #broken = [];
  #files = 0;
  #done = 0;

  onTestRunStart(specifications) {
    this.#files = specifications.length;
  }

  onTestCaseResult(test) {
    const { state, errors } = test.result();
    const error = errors?.[0]?.message?.split('\n')[0];
    const file = basename(test.module.moduleId, '.test.ts');
    // Vitest puts what a table of tests names into quotation marks.
    const key = [file, ...test.fullName.replaceAll("'", '').split(' > ')].join(' › ');
    const facts = test.meta().facts ?? [];
    const { retryCount = 0 } = test.diagnostic() ?? {};
    this.#tests.push({ file, key, state, again: retryCount > 0, error, facts });
  }

  onTestModuleEnd(module) {
    const results = [...module.children.allTests()].map(test => test.result().state);
    const failed = results.filter(state => state === 'failed').length;
    this.#broken.push(...module.errors().map(({ message }) => `${basename(module.moduleId)}: ${message}`));
    this.#done++;
    const progress = `[${this.#done}/${this.#files}] ${basename(module.moduleId, '.test.ts')}`;
    process.stderr.write(`${progress}: ${results.length} tests${failed ? `, ${failed} FAILED` : ''}\n`);
  }

  onTestRunEnd(_modules, errors) {
    this.#broken.push(...errors.map(({ message }) => message));
    const content = { tests: this.#tests, broken: this.#broken };
    writeFileSync(process.env.PROOF_FACTS, JSON.stringify(content));
  }
}
