import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../../scripts/free-port.mjs';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const QUESTION = 'What is 2+2?';

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the app as a user does. `onOutput` sees stdout as it grows. */
function app(
  args: string[],
  options: {
    stdin?: string;
    env?: Record<string, string>;
    onOutput?: (text: string, pid: number) => void;
  } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [CLI, ...args], { env: { ...process.env, ...options.env } });
  const run: Run = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', chunk => {
    run.stdout += chunk;
    options.onOutput?.(run.stdout, child.pid ?? 0);
  });
  child.stderr.on('data', chunk => {
    run.stderr += chunk;
  });
  child.stdin.end(options.stdin ?? '');
  return new Promise(resolve => child.on('close', code => resolve({ ...run, code })));
}

/** Runs the app and interrupts it at the first words of its answer. */
function interrupted(prompt: string): Promise<Run> {
  return app([prompt], {
    onOutput: (_text, pid) => {
      try {
        process.kill(pid, 'SIGINT');
      } catch {
        // It has ended by itself.
      }
    },
  });
}

describe('the terminal app', () => {
  let server: RealLlamaServer;
  let LLAMASERVER_HOST: string;
  const folder = mkdtempSync(join(tmpdir(), 'airframe-terminal-'));
  beforeAll(async () => {
    server = await startLlamaServer();
    LLAMASERVER_HOST = server.url;
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await server?.stop();
  });

  it('answers, and closes with provider, model, tokens, speed, first token and cost', async () => {
    const { code, stdout, stderr } = await app([QUESTION]);
    expect(stdout).toContain('4');
    expect(stderr).toMatch(
      /^llamacpp · pilot · \d+( \(\d+ cached\))? \+ \d+ tokens · \d+ tok\/s · first token \d+ ms · \$0\.000000$/m,
    );
    expect(stderr).toContain('demo model');
    expect(code).toBe(0);
  });

  it('gives the same answer through llama-server as in this process at temperature 0', async () => {
    const questions = [QUESTION, 'What is 7 plus 5?', 'Who are you?', 'What is airframe?'];
    for (const question of questions) {
      const args = ['--temperature', '0', question];
      const here = await app(args);
      const there = await app(['--provider', 'llamaserver', ...args], { env: { LLAMASERVER_HOST } });
      expect(there.stdout).toBe(here.stdout);
      expect(there.stderr).toMatch(/^llamaserver · pilot · /m);
    }
  });

  it('takes piped stdin for the prompt', async () => {
    expect((await app([], { stdin: `${QUESTION}\n` })).stdout).toContain('4');
  });

  it('prints one JSON object with --json', async () => {
    const { stdout } = await app(['--json', QUESTION]);
    expect(JSON.parse(stdout)).toMatchObject({
      text: expect.stringContaining('4'),
      provider: 'llamacpp',
      costUsd: 0,
      metadata: { finishReason: 'stop', usage: { source: 'reported' }, priced: true },
    });
  });

  it('says that an answer was cut at --max-tokens', async () => {
    expect((await app(['--max-tokens', '1', QUESTION])).stderr).toMatch(
      / \+ 1 tokens .* cut: the token limit/,
    );
  });

  it('takes a system message', async () => {
    const { stdout } = await app(['--system', 'Answer briefly.', QUESTION]);
    expect(stdout).toContain('4');
  });

  it('shows its options with --help', async () => {
    expect((await app(['--help'])).stdout).toMatch(/--provider.*--model.*--system.*--max-tokens.*--json/s);
  });

  describe('a mistake is one line that names the value and the remedy, and a non-zero exit code', () => {
    const notGguf = join(folder, 'notes.txt');
    writeFileSync(notGguf, 'hello');

    it.each<[string, string[], Record<string, string>, RegExp]>([
      ['unknown provider', ['--provider', 'nonsense', 'hi'], {}, /"nonsense"; give one of llamaserver, /],
      [
        'missing model file',
        ['--model', '/no/such.gguf', 'hi'],
        {},
        /\/no\/such\.gguf; give the path of a GGUF/,
      ],
      ['not a GGUF', ['--model', notGguf, 'hi'], {}, /notes\.txt.*GGUF/],
      [
        'bad token limit',
        ['--max-tokens', '-1', 'hi'],
        {},
        /--max-tokens is "-1"; give a whole number above 0/,
      ],
      ['bad setting', ['hi'], { LLM_TIMEOUT: 'soon' }, /LLM_TIMEOUT.*soon/],
      ['empty prompt', [], {}, /the prompt is empty/],
      [
        'a provider without its key',
        ['--provider', 'openai', 'hi'],
        { OPENAI_API_KEY: '', OPENAI_BASE_URL: '' },
        /OPENAI_API_KEY is not set: LLM_PROVIDER=openai needs it/,
      ],
      ['an empty model', ['--model', '', 'hi'], {}, /--model is ""/],
      [
        'several bad settings',
        ['hi'],
        { LLM_TIMEOUT: 'x', LLM_MAX_RETRIES: 'y' },
        /LLM_TIMEOUT.*; .*LLM_MAX_RETRIES/,
      ],
    ])('%s', async (_name, args, env, message) => {
      const { code, stdout, stderr } = await app(args, { env });
      expect(stderr).toMatch(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(stdout).toBe('');
      expect(code).toBeGreaterThan(0);
    });

    it('refused connection', async () => {
      const host = `http://127.0.0.1:${await freePort()}`;
      const { code, stderr } = await app(['--provider', 'llamaserver', 'hi'], {
        env: { LLAMASERVER_HOST: host, LLM_MAX_RETRIES: '0' },
      });
      expect(stderr).toContain(`${host} refused the connection`);
      expect(stderr).toContain('LLAMASERVER_HOST');
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(1);
    });
  });

  it('gives the whole answer when nobody reads what it says about it', async () => {
    const child = spawn(process.execPath, [CLI, '--provider', 'mock', 'hello'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr.destroy();
    let stdout = '';
    child.stdout.on('data', chunk => {
      stdout += chunk;
    });
    const code = await new Promise(resolve => child.on('close', resolve));
    expect({ stdout, code }).toEqual({ stdout: 'mock answer to: hello\n', code: 0 });
  });

  it('takes a prompt that begins with a minus sign for a prompt', async () => {
    for (const args of [['-5 + 3 = ?'], ['--', '-5 + 3 = ?'], ['--json', '-5', '+', '3']]) {
      expect((await app(['--provider', 'mock', ...args])).stdout).toContain('-5 + 3');
    }
  });

  it('stops at Ctrl-C with exit code 130, also with the model in this process', async () => {
    // An answer may be whole before the signal comes; one of some tries is not.
    for (let tries = 0; tries < 10; tries++) {
      const { code, stderr } = await interrupted('Tell me a story');
      if (code === 0) continue;
      expect(stderr).toContain('stopped');
      expect(code).toBe(130);
      return;
    }
    expect.unreachable('ten answers were whole before the interrupt came');
  });

  it('ends quietly when the reader of a pipe goes away', async () => {
    const shell = spawn('sh', ['-c', `"$0" "$1" --help | head -1`, process.execPath, CLI]);
    let stderr = '';
    shell.stderr.on('data', chunk => {
      stderr += chunk;
    });
    await new Promise(resolve => shell.on('close', resolve));
    expect(stderr).toBe('');
  });
});
