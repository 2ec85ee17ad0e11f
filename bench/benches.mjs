// Each benchmark by the name of its results: how it is run, and the paths of what it speaks of.
const LIBRARIES = ['packages/airframe/src', 'packages/avionics/src'];

export const BENCHES = {
  stream: {
    command: 'pnpm bench:stream',
    script: 'bench/stream/run.mjs',
    code: [...LIBRARIES, 'bench/stream'],
  },
  routing: {
    command: 'pnpm bench:routing',
    script: 'bench/routing/run.mjs',
    code: ['packages/avionics/src/nodes', 'bench/routing'],
  },
  gateway: {
    command: 'pnpm bench:gateway',
    script: 'bench/gateway/run.mjs',
    code: [...LIBRARIES, 'apps/gateway/src', 'bench/gateway'],
  },
  native: {
    command: 'pnpm bench:native',
    script: 'bench/native/run.mjs',
    code: [
      'packages/airframe/src',
      'packages/llamacpp-native/src',
      'packages/llamacpp-native/native',
      'bench/native',
    ],
  },
  'routing-sim': {
    command: 'pnpm sim:routing',
    script: 'sim/routing/run.mjs',
    code: ['packages/avionics/src/nodes', 'sim/routing'],
  },
};
