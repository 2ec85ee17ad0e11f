// What a slow and what a stalled consumer of airframe cost in memory; each message asks for one of the two.
import { setTimeout as sleep } from 'node:timers/promises';
import { answerParent } from '../child.mjs';
import { importPackage } from '../peers.mjs';
import { pathOf } from './workload.mjs';

const { openAIChatAdapter } = await importPackage('@x/airframe');
const adapter = openAIChatAdapter();

const streamOf = (origin, events) => {
  const baseUrl = `${origin}${pathOf({ kind: 'padded', events, perWrite: 4 })}/v1`;
  const endpoint = { name: 'bench', backendKind: 'openai_chat', baseUrl, model: 'bench' };
  return adapter.streamInfer(endpoint, { messages: [{ role: 'user', content: 'Go.' }] });
};

/** Reads a response; waits after every `pauseEvery` events. */
async function read(stream, pauseEvery = Number.POSITIVE_INFINITY) {
  let events = 0;
  for await (const event of stream) {
    if (event.type === 'error') throw event.error;
    if (event.type === 'token' && ++events % pauseEvery === 0) await sleep(20);
  }
  return events;
}

/** @returns MiB by which the resident memory grows over what it was, while the work is done */
async function growthDuring(work) {
  const before = process.memoryUsage.rss();
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 10);
  const result = await work();
  clearInterval(sampling);
  return { result, growthMb: (most - before) / 2 ** 20 };
}

const probes = {
  /** One response of `events` events, read with pauses. */
  async slow({ origin, events }) {
    // The heap then has the size that reading as such needs.
    await read(streamOf(origin, Math.ceil(events / 2)));
    const { result, growthMb } = await growthDuring(() => read(streamOf(origin, events), 500));
    if (result !== events) throw new Error(`received ${result} of ${events} events`);
    return { growthMb };
  },
  /** Many responses begun and not read on. */
  async stalled({ origin, events, streams, ms }) {
    const open = Array.from({ length: streams }, () => streamOf(origin, events));
    for (const stream of open) {
      const { value } = await stream.next();
      if (value?.type !== 'token') throw new Error(`the first event is ${value?.type}`);
    }
    const { growthMb } = await growthDuring(() => sleep(ms));
    for (const stream of open) await stream.return();
    return { growthMb };
  },
};

answerParent({}, ({ probe, ...options }) => probes[probe](options));
