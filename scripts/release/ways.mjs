// The four ways of use: what is installed, the program that is run, and what it has to say.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../workspace.mjs';

const program = name => fileURLToPath(new URL(`programs/${name}.ts`, import.meta.url));

export const WAYS = [
  {
    name: 'transport',
    packages: ['@x/airframe'],
    program: program('transport'),
    says: /^It rains\.\|stop\|9 tokens\|2 attempts\n$/,
  },
  {
    name: 'orchestration',
    packages: ['@x/airframe', '@x/avionics'],
    program: program('orchestration'),
    says: /^Four\.\|mock\|\d+ tokens\|\$0\.0\d+\n$/,
  },
  {
    name: 'in-process',
    packages: ['@x/airframe', '@x/llamacpp-native'],
    program: program('in-process'),
    args: [join(ROOT, 'apps', 'demo-model', 'pilot.gguf')],
    says: /^.*4.*\|stop\|node-llama-cpp\n$/s,
  },
  {
    name: 'adapter',
    packages: ['@x/airframe', '@x/adapter-gemini'],
    program: program('adapter'),
    says: /^The sun shines\.\|stop\|gemini\n$/,
  },
];
