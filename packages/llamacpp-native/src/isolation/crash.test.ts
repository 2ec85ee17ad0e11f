import { expect, it } from 'vitest';
import { crashError } from './crash.ts';

const endpoint = { name: 'here', backendKind: 'llamacpp_native', baseUrl: 'file:///models/m.gguf' };
const message = (exit: Parameters<typeof crashError>[0]) => crashError(exit, endpoint).message;

it('names the model, how the process ended, and what to do', () => {
  const error = crashError({ signal: 'SIGSEGV', stderr: '' }, endpoint);
  expect(error).toMatchObject({ category: 'backend', code: 'engine_crashed', retryable: true });
  expect(error.raw).toBeUndefined();
  expect(error.message).toBe(
    "the engine's process for /models/m.gguf was ended by SIGSEGV; send the call again: it starts a new process",
  );
  expect(message({ code: 3, signal: null, stderr: '' })).toContain('ended with exit code 3;');
  expect(message({ signal: 'SIGKILL', stderr: '' })).toContain('out of memory');
  const failure = new Error('spawn EAGAIN');
  expect(message({ failure, stderr: '' })).toContain('could not be started (spawn EAGAIN)');
});

it('quotes the line of stderr that says why, and keeps the rest', () => {
  const assertion = 'ggml.c:12: GGML_ASSERT(ne > 0) failed';
  const stderr = `loading\n${assertion}\n#0 0x7f in ?? ()\n#1 0x7f in ?? ()\n`;
  expect(message({ signal: 'SIGABRT', stderr })).toContain(`SIGABRT: ${assertion};`);
  expect(crashError({ signal: 'SIGABRT', stderr }, endpoint).raw).toBe(stderr);
  const thrown =
    'x.js:1\n^\n\nTypeError: x is not a function\n    at onError (x.js:1:1)\n\nNode.js v20.20.2\n';
  expect(message({ code: 1, stderr: thrown })).toContain('exit code 1: TypeError: x is not a function;');
  expect(message({ code: 1, stderr: 'bye\n' })).toContain('exit code 1: bye;');
});
