import { withRetry } from '@x/airframe';
import type { ConformanceSubject } from '@x/airframe/conformance';
import { testConformance } from '@x/airframe/conformance/vitest';
import { llamaCppAdapter } from '../../src/index.ts';
import { demoEndpoint } from '../demo-model.ts';
import { ENGINES } from '../engines.ts';

for (const engine of ENGINES) {
  for (const isolation of ['none', 'process']) {
    /** No script can make the model itself misbehave: the kit asks it for real answers. */
    const subject: ConformanceSubject = {
      name: `llamacpp_native (${engine}, isolation ${isolation})`,
      adapter: () => llamaCppAdapter({ engine }),
      endpoint: () => demoEndpoint({ isolation }),
      request: { messages: [{ role: 'user', content: 'What does airframe do?' }], temperature: 0 },
    };
    testConformance(subject);
    testConformance({
      ...subject,
      name: `withRetry(${subject.name})`,
      adapter: () => withRetry(llamaCppAdapter({ engine }), { maxRetries: 1, baseDelayMs: 5 }),
    });
  }
}
