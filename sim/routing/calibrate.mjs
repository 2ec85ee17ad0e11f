// How fast a real llama-server is here, with the model of random weights on one thread: `pnpm sim:routing --calibrate`.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startServer } from '../../bench/llama-server.mjs';
import { machine, median } from '../../bench/report.mjs';

const FILE = fileURLToPath(new URL('calibration.json', import.meta.url));
const SLOTS = 4;
const PROMPT_TOKENS = 1_000;
const ANSWER_TOKENS = 64;
const ROUNDS = 5;
/** Tokens of words begin here in the demo model's vocabulary. */
const FIRST_WORD = 300;
const WORDS = 1_000;

/** Writes what a server does with 1 to 4 slots busy. @returns the file and its content */
export async function calibrate() {
  const server = await startServer({ slots: SLOTS, contextTokens: 2_048, cacheRamMiB: 0 });
  try {
    const measured = await measure(server.url);
    const props = await (await fetch(`${server.url}/props`)).json();
    const { node: _, ...computer } = machine();
    const content = {
      measuredAt: new Date().toISOString().slice(0, 10),
      machine: computer,
      llamaServer: props.build_info,
      model: '58.6 million random weights, Q8_0',
      threads: 1,
      ...measured,
    };
    writeFileSync(FILE, `${JSON.stringify(content, null, 2)}\n`);
    return { file: FILE, content };
  } finally {
    await server.stop();
  }
}

async function measure(url) {
  await evaluate(url, 1);
  const bySlots = [];
  for (let busy = 1; busy <= SLOTS; busy++) {
    process.stderr.write(`${busy} of ${SLOTS} slots busy …\n`);
    bySlots.push({
      busy,
      promptTokensPerSecond: Math.round(await medianOf(() => evaluate(url, busy))),
      generationTokensPerSecond: Math.round(await medianOf(() => generate(url, busy))),
    });
  }
  const prompt = promptOf(0);
  const short = () => complete(url, { prompt, n_predict: 1, cache_prompt: true });
  await short();
  const overheadMs = await medianOf(async () => {
    const startedAt = performance.now();
    await short();
    return performance.now() - startedAt;
  });
  return { overheadMs: Math.round(10 * overheadMs) / 10, bySlots };
}

async function medianOf(once) {
  const values = [];
  for (let round = 0; round < ROUNDS; round++) values.push(await once());
  return median(values);
}

/** Tokens of prompts evaluated per second, by all slots together. */
async function evaluate(url, busy) {
  const startedAt = performance.now();
  await Promise.all(prompts(busy).map(prompt => complete(url, { prompt, n_predict: 1 })));
  return (busy * PROMPT_TOKENS) / ((performance.now() - startedAt) / 1_000);
}

/** Tokens generated per second, by each slot. */
async function generate(url, busy) {
  const asked = prompts(busy).map(prompt =>
    complete(url, {
      prompt: prompt.slice(0, 16),
      n_predict: ANSWER_TOKENS,
      ignore_eos: true,
      temperature: 0,
    }),
  );
  return median((await Promise.all(asked)).map(({ timings }) => timings.predicted_per_second));
}

const prompts = count => Array.from({ length: count }, (_, index) => promptOf(index));

/** Prompts that have nothing in common. */
function promptOf(index) {
  return Array.from({ length: PROMPT_TOKENS }, (_, at) => FIRST_WORD + ((at * 7 + index * 131) % WORDS));
}

async function complete(url, body) {
  const response = await fetch(`${url}/completion`, {
    method: 'POST',
    body: JSON.stringify({ cache_prompt: false, ...body }),
  });
  if (!response.ok) throw new Error(`llama-server answered ${response.status}: ${await response.text()}`);
  return response.json();
}
