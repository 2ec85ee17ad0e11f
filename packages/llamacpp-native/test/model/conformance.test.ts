import { withRetry } from '@x/airframe';
import type { ConformanceSubject } from '@x/airframe/conformance';
import { testConformance } from '@x/airframe/conformance/vitest';
import { llamaCppAdapter } from '../../src/index.ts';
import { demoEndpoint } from '../demo-model.ts';

/** No script can make the model itself misbehave: the kit asks it for real answers. */
const subject: ConformanceSubject = {
  name: 'llamacpp_native',
  adapter: () => llamaCppAdapter(),
  endpoint: () => demoEndpoint(),
  request: { messages: [{ role: 'user', content: 'What does airframe do?' }], temperature: 0 },
};

testConformance(subject);
testConformance({
  ...subject,
  name: 'withRetry(llamacpp_native)',
  adapter: () => withRetry(llamaCppAdapter(), { maxRetries: 1, baseDelayMs: 5 }),
});
