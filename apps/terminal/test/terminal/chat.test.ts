import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../../test/real-llama-server.ts';
import {
  json,
  type Script,
  type ScriptedServer,
  scriptedServer,
  sse,
} from '../../../../test/scripted-server.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const CTRL_C = '\x03';
const CTRL_D = '\x04';

const ESCAPE = '\x1b';

/** An escape sequence, or one character. */
const SEQUENCES = new RegExp(`${ESCAPE}\\[[\\d;?]*[A-Za-z]|.`, 'gsu');

/** What a person sees after these bytes: carriage returns go back, erased lines are gone, colours are not text. */
function rendered(bytes: string): string {
  const lines = [''];
  let column = 0;
  for (const [piece] of bytes.matchAll(SEQUENCES)) {
    const line = lines.at(-1) ?? '';
    if (piece === '\n') {
      lines.push('');
      column = 0;
    } else if (piece === '\r') column = 0;
    else if (piece.endsWith('K') && piece.startsWith(ESCAPE))
      lines[lines.length - 1] = piece.includes('2') ? '' : line.slice(0, column);
    else if (piece.endsWith('J') && piece.startsWith(ESCAPE)) lines[lines.length - 1] = line.slice(0, column);
    else if (piece.endsWith('G') && piece.startsWith(ESCAPE))
      column = Number(/\d+/.exec(piece)?.[0] ?? 1) - 1;
    else if (!piece.startsWith(ESCAPE)) {
      lines[lines.length - 1] = line.slice(0, column).padEnd(column) + piece + line.slice(column + 1);
      column++;
    }
  }
  return lines.join('\n');
}

/** The app on a terminal of its own (util-linux's `script` makes one). */
function terminal(args: string[], env: Record<string, string> = {}) {
  const command = [process.execPath, CLI, ...args].map(word => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    env: { ...process.env, TERM: 'xterm', ...env },
  });
  const exited = new Promise<number | null>(resolve => child.on('close', resolve));
  let bytes = '';
  let seen = 0;
  child.stdout.on('data', chunk => {
    bytes += chunk;
  });
  const unseen = () => rendered(bytes).slice(seen);
  return {
    exited,
    type: (keys: string) => child.stdin.write(keys),
    /** Waits until a person sees a text below what was seen at the last call. */
    sees: async (text: string | RegExp) => {
      await until(() => unseen().search(text) >= 0).catch(() => expect(unseen()).toMatch(text));
      seen += unseen().search(text) + 1;
    },
  };
}

/** An answer of words, until the client goes. */
const endless: Script = async response => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let i = 1; !response.destroyed; i++) {
    response.write(`data: ${JSON.stringify({ content: `word${i} `, tokens_predicted: i })}\n\n`);
    await sleep(20);
  }
};

describe('the chat', () => {
  let server: ScriptedServer | undefined;
  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  it('answers turn after turn, remembers what was said, and leaves at Ctrl-D', async () => {
    const { type, sees, exited } = terminal([]);
    await sees('Chat with pilot');
    type('What is 2+2?\r');
    await sees(/4.*llamacpp · pilot · /s);
    type('What is 3+4?\r');
    await sees(/7.*llamacpp · pilot · \d+ \(\d+ cached\) \+ /s);
    type(CTRL_D);
    expect(await exited).toBe(0);
  });

  it('stops the answer at Ctrl-C, not itself', async () => {
    const last = { content: '', stop: true, stop_type: 'eos', tokens_predicted: 1, tokens_evaluated: 1 };
    const template = json(200, { prompt: 'x' });
    server = await scriptedServer(template, endless, template, sse([{ content: 'still here' }, last]));
    const { type, sees, exited } = terminal(['--provider', 'llamaserver'], { LLAMASERVER_HOST: server.url });
    await sees('Chat with');
    type('go on\r');
    await sees('word3');
    type(CTRL_C);
    await sees('stopped');
    await until(() => server?.seen[1]?.closedEarly === true);
    type('are you there?\r');
    await sees('still here');
    // What was said before the stop is part of the conversation.
    expect(server.seen[2]?.body).toMatchObject({
      messages: [
        { role: 'user', content: 'go on' },
        { role: 'assistant', content: expect.stringContaining('word3') },
        { role: 'user', content: 'are you there?' },
      ],
    });
    type(CTRL_C);
    await sees('Ctrl-D leaves');
    type(CTRL_D);
    expect(await exited).toBe(0);
  });

  it('stops the answer and leaves at Ctrl-D, whatever has been typed ahead', async () => {
    server = await scriptedServer(json(200, { prompt: 'x' }), endless);
    const { type, sees, exited } = terminal(['--provider', 'llamaserver'], { LLAMASERVER_HOST: server.url });
    await sees('Chat with');
    type('go on\r');
    await sees('word3');
    type('and then?\r');
    type(CTRL_D);
    await sees('stopped');
    expect(await exited).toBe(0);
    await until(() => server?.seen[1]?.closedEarly === true);
    expect(server.seen).toHaveLength(2);
  });

  it('goes on after an error', async () => {
    server = await scriptedServer(json(400, { error: { type: 'invalid_request_error', message: 'no' } }));
    const { type, sees, exited } = terminal(['--provider', 'llamaserver'], { LLAMASERVER_HOST: server.url });
    await sees('Chat with');
    type('hello\r');
    await sees('error: ');
    type('/exit\r');
    expect(await exited).toBe(0);
  });
});
