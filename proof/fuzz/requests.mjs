// Bodies that are nearly right, and bytes that are nearly HTTP, at every protocol of the gateway.
import { connect } from 'node:net';
import '../../scripts/run-sources.mjs';
import { startFuzzed } from './gateway.mjs';
import { mutatedBody, mutatedBytes } from './mutate.mjs';

const { open } = await import('../../apps/gateway/test/faults/client.ts');
const { read, SPOKEN } = await import('../../apps/gateway/test/faults/protocols.ts');

/** Longest time for an answer, in milliseconds: the upstream answers at once. */
const HANG_MS = 15_000;
/** When a connection is closed from our side, so that what waits for more of a body sees its end. */
const PATIENCE_MS = 300;

export async function requestCases() {
  const gateway = await startFuzzed();
  return { next: random => nextRequest(gateway, random), problem: gateway.problem, stop: gateway.stop };
}

export async function wireCases() {
  const gateway = await startFuzzed();
  return { next: random => nextBytes(gateway, random), problem: gateway.problem, stop: gateway.stop };
}

async function nextRequest({ url, key, isUp }, random) {
  const protocol = random.of(SPOKEN);
  const body = mutatedBody(protocol.ask(random.below(2) === 0), random);
  const call = open(url, { path: protocol.path, body, key });
  const answer = await withinTime(call.answer).catch(error => ({ failure: error.message }));
  if (answer.failure) call.leave();
  const problem = problemOf(protocol, answer, isUp);
  const asked = `POST ${protocol.path} ${body.length > 2_000 ? `${body.slice(0, 2_000)}…` : body}`;
  return problem ? { problem: `${problem}\n  ${asked}` } : { outcome: `${answer.status}` };
}

/** What a client could not make sense of. */
function problemOf(protocol, answer, isUp) {
  if (answer.failure) return isUp() ? answer.failure : 'the gateway crashed';
  const { status, text } = answer;
  if (status >= 500) return `status ${status}: ${text.slice(0, 300)}`;
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
  try {
    const { outcome } = read(protocol, answer, isStream);
    if (outcome === (status === 200 ? 'whole' : 'error')) return undefined;
    return `status ${status}, and the answer is ${outcome}: ${text.slice(0, 300)}`;
  } catch (error) {
    return `status ${status}, and the answer cannot be read (${error.message}): ${text.slice(0, 300)}`;
  }
}

async function withinTime(answer) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${HANG_MS} ms`)), HANG_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function nextBytes({ url, key, isUp }, random) {
  const protocol = random.of(SPOKEN);
  const body = Buffer.from(JSON.stringify(protocol.ask(random.below(2) === 0)));
  const head = [
    `POST ${protocol.path} HTTP/1.1`,
    'host: gateway',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
  ];
  const bytes = mutatedBytes(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]), random);
  const { text, hung } = await exchangeBytes(new URL(url), bytes);
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status);
  const sent = `sent, in Latin-1: ${JSON.stringify(bytes.toString('latin1').replaceAll(key, '***'))}`;
  if (!isUp()) return { problem: `the gateway crashed\n  ${sent}` };
  if (hung) return { problem: `the connection was not closed within ${HANG_MS} ms\n  ${sent}` };
  const bad = statuses.find(status => status >= '500' && status !== '501' && status !== '505');
  if (bad) return { problem: `status ${bad}: ${text.slice(0, 300)}\n  ${sent}` };
  if (text !== '' && !text.startsWith('HTTP/1.1 ')) {
    return { problem: `what came is no HTTP: ${text.slice(0, 300)}\n  ${sent}` };
  }
  return { outcome: statuses[0] ?? 'closed' };
}

/** Sends the bytes, then ends our side, and waits until the other one has ended, too. */
function exchangeBytes({ hostname, port }, bytes) {
  return new Promise(resolve => {
    const socket = connect(Number(port), hostname);
    let text = '';
    let hung = false;
    const patience = setTimeout(() => socket.end(), PATIENCE_MS);
    const limit = setTimeout(() => {
      hung = true;
      socket.destroy();
    }, HANG_MS);
    socket.on('data', chunk => {
      if (text.length < 100_000) text += chunk.toString('latin1');
      // The answer has come: nothing more is to be waited for.
      if (/\r\n\r\n/.test(text)) socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(patience);
      clearTimeout(limit);
      resolve({ text, hung });
    });
    socket.write(bytes);
  });
}
