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

/** The app on a terminal of its own (util-linux's `script` makes one). */
function terminal(args: string[], env: Record<string, string> = {}) {
  const command = [process.execPath, CLI, ...args].map(word => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    env: { ...process.env, TERM: 'dumb', ...env },
  });
  const exited = new Promise<number | null>(resolve => child.on('close', resolve));
  let screen = '';
  child.stdout.on('data', chunk => {
    screen += chunk;
  });
  return {
    exited,
    type: (keys: string) => child.stdin.write(keys),
    /** Waits for a text that was not there at the last call. */
    sees: async (text: string | RegExp) => {
      await until(() => screen.search(text) >= 0).catch(() => expect(screen).toMatch(text));
      const at = screen.search(text);
      screen = screen.slice(at + 1);
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
