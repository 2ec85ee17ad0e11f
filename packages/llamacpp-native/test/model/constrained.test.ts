import { type Adapter, collect, type InferenceRequest, type InferenceResult } from '@x/airframe';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type EngineName, type LlamaCppExtra, llamaCppAdapter } from '../../src/index.ts';
import { demoEndpoint } from '../demo-model.ts';
import { GRAMMARS } from '../grammars.ts';
import { randomSchemas, type Schema } from '../random-schemas.ts';

const SEED = Number(process.env['CONSTRAINED_SEED'] ?? Date.now() % 2 ** 31);
console.log(`random schemas and dice: CONSTRAINED_SEED=${SEED} repeats them`);

/** Generations of each kind: the engine node-llama-cpp does one at a time. */
const ENGINES: [EngineName, number][] = [
  ['core', 100],
  ['node-llama-cpp', 20],
];
const endpoint = demoEndpoint({ contextTokens: 1_024, threads: 1 });
/** The demo model likes blanks wherever JSON may have them. */
const maxTokens = 960;

/** A request that is as random as its number, over either route of a request. */
function asked(index: number): InferenceRequest<LlamaCppExtra> {
  const asked =
    index % 2 === 0 ? { prompt: 'Up:' } : { messages: [{ role: 'user' as const, content: 'Up?' }] };
  return { ...asked, maxTokens, seed: SEED + index, temperature: 0.5 + (index % 5) / 4 };
}

/** What is wrong with a text as JSON of a schema, by a validator that llama.cpp knows nothing of. */
function problemWith(text: string, schema: Schema): unknown {
  // It takes no integer of sixteen digits, and no number larger than a double.
  const readable = JSON.stringify(schema).replaceAll(
    '{"type":"integer"}',
    '{"type":"number","multipleOf":1}',
  );
  const small = text.replace(/(?<=\d[eE][+-]?)\d{3,}/g, '99');
  return z.fromJSONSchema(JSON.parse(inUnits(readable))).safeParse(JSON.parse(inUnits(small))).error;
}

/** It counts halves of characters, a schema whole ones: with no character of two halves in it that is the same. */
const inUnits = (json: string): string => json.replace(/[\u{10000}-\u{10ffff}]/gu, '\uffff');

describe.each(ENGINES)('the engine %s', (engine, count) => {
  let adapter: Adapter<LlamaCppExtra>;
  beforeAll(() => {
    adapter = llamaCppAdapter({ engine });
  });
  afterAll(() => adapter.close());

  const run = (request: InferenceRequest<LlamaCppExtra>): Promise<InferenceResult> =>
    collect(adapter.streamInfer(endpoint, request));

  it(`gives JSON of its schema, ${count} times`, async () => {
    const schemas = fc.sample(randomSchemas(engine), { seed: SEED, numRuns: count });
    const answer = async (schema: Schema, index: number) => {
      const format = { type: 'json_schema' as const, schema };
      const { text, finishReason } = await run({ ...asked(index), responseFormat: format });
      const seen = JSON.stringify({ schema, text, index });
      expect(finishReason, seen).toBe('stop');
      expect(problemWith(text, schema), seen).toBeUndefined();
      expect(text, seen).toBe(text.trim());
    };
    await Promise.all(schemas.map(answer));
  }, 300_000);

  it('gives integers without a fraction or an exponent, however hot the dice', async () => {
    const dice = { temperature: 50, topP: 1, extra: { top_k: 0, min_p: 0 } };
    const format = { type: 'json_schema' as const, schema: { type: 'integer' } };
    const answer = async (index: number) => {
      const { text } = await run({ ...asked(index), ...dice, responseFormat: format });
      expect(text, String(index)).toMatch(/^-?(0|[1-9]\d{0,15})$/);
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => answer(index)));
  });

  it(`gives texts of its grammar, ${count} times`, async () => {
    const answer = async (index: number) => {
      const [name, grammar, texts] = GRAMMARS[index % GRAMMARS.length] as (typeof GRAMMARS)[number];
      const { text, finishReason } = await run({ ...asked(index + count), extra: { grammar } });
      const seen = JSON.stringify({ name, text, index });
      expect(finishReason, seen).toBe('stop');
      expect(text, seen).toMatch(texts);
    };
    await Promise.all(Array.from({ length: count }, (_, index) => answer(index)));
  }, 300_000);
});
