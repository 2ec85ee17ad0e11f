import { testConformance } from '@x/airframe/conformance/vitest';
import { SUBJECTS } from './subjects.ts';

for (const subject of SUBJECTS) testConformance(subject);
