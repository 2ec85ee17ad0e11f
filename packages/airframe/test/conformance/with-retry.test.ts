import { withRetry } from '@x/airframe';
import { testConformance } from '@x/airframe/conformance/vitest';
import { SUBJECTS } from './subjects.ts';

for (const subject of SUBJECTS) {
  testConformance({
    ...subject,
    name: `withRetry(${subject.name})`,
    adapter: () => withRetry(subject.adapter(), { maxRetries: 1, baseDelayMs: 5 }),
  });
}
