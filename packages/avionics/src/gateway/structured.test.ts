import type { InferenceRequest } from '@x/airframe';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { StructuredOutput } from './structured.ts';
import { mockedGateway, readAll } from './test-gateway.ts';

const city = z.object({ name: z.string(), people: z.number().int() });

describe('an answer with a schema', () => {
  it('comes as a checked object, and the provider is told the schema', async () => {
    const { gateway, main } = mockedGateway({ main: ['{"name":"Oslo","people":700000}'] });
    const response = await gateway.complete({ prompt: 'x', schema: city });
    expectTypeOf(response.object).toEqualTypeOf<{ name: string; people: number } | undefined>();
    expect(response.object).toEqual({ name: 'Oslo', people: 700000 });
    expect(main.requests[0]?.responseFormat).toMatchObject({
      type: 'json_schema',
      schema: { type: 'object', required: ['name', 'people'], additionalProperties: false },
    });
  });

  it('takes a JSON Schema as well, and a fenced answer', async () => {
    const schema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
    const { gateway } = mockedGateway({ main: ['```json\n{"n":3}\n```'] });
    expect((await gateway.complete({ prompt: 'x', schema })).object).toEqual({ n: 3 });
  });

  it('is read at once, even where the model wrote blanks without end', () => {
    const output = new StructuredOutput(city);
    for (const blanks of ['\n', ' ', '\n ']) {
      const endless = `\`\`\`json${blanks.repeat(100_000)}`;
      expect(output.read(`${endless}x`)).toMatchObject({
        problem: expect.stringContaining('it is not JSON'),
      });
      expect(output.read(`${endless}\n{"name":"Oslo","people":1}\n\`\`\`\n`)).toMatchObject({
        value: { name: 'Oslo' },
      });
    }
  });

  it('is mended once, and both answers are paid for', async () => {
    const { gateway, main } = mockedGateway({ main: ['{"name":"Oslo"}', '{"name":"Oslo","people":1}'] });
    const { chunks } = await readAll(gateway.completeStream({ prompt: 'x', schema: city }));
    const last = (main.requests[1] as InferenceRequest).messages?.slice(-2);
    expect(last).toMatchObject([
      { role: 'assistant' },
      { role: 'user', content: expect.stringContaining('people') },
    ]);
    expect(chunks.filter(chunk => chunk.seam)).toMatchObject([
      { seam: { policy: 'restart', reason: 'repair' } },
    ]);
    const response = chunks.at(-1)?.response;
    expect(response).toMatchObject({ object: { name: 'Oslo', people: 1 }, metadata: { attempts: [{}, {}] } });
    expect(response?.metadata.billed.completionTokens).toBeGreaterThan(response?.completionTokens ?? 0);
  });

  it('fails when it does not fit the second time either, with what was wrong', async () => {
    const { gateway, main } = mockedGateway({ main: ['no json'] });
    await expect(gateway.complete({ prompt: 'x', schema: city })).rejects.toMatchObject({
      category: 'parse',
      code: 'schema_mismatch',
      raw: 'no json',
    });
    expect(main.requests).toHaveLength(2);
  });

  it('is not asked for again when it was cut at its limit', async () => {
    const { gateway, main } = mockedGateway({ main: ['{"name": "a b c d"'] });
    await expect(gateway.complete({ prompt: 'x', schema: city, maxTokens: 2 })).rejects.toMatchObject({
      remedy: 'raise maxTokens',
    });
    expect(main.requests).toHaveLength(1);
  });

  it('refuses a schema that cannot be told', async () => {
    const { gateway } = mockedGateway({ main: ['x'] });
    const schema = z.object({ f: z.function() as unknown as z.ZodString });
    await expect(gateway.complete({ prompt: 'x', schema })).rejects.toMatchObject({
      category: 'invalid_request',
    });
    const responseFormat = { type: 'json' } as const;
    await expect(gateway.complete({ prompt: 'x', schema: city, responseFormat })).rejects.toMatchObject({
      message: expect.stringContaining('either schema or responseFormat'),
    });
  });
});

describe('tools with schemas', () => {
  const add = { name: 'add', parameters: z.object({ a: z.coerce.number(), b: z.number() }) } as const;
  const call = (name: string, args: string) => ({ toolCalls: [{ id: 't', name, arguments: args }] });

  it('give calls whose input is checked and typed', async () => {
    const { gateway, main } = mockedGateway({ main: [call('add', '{"a":"1","b":2}')] });
    const { toolCalls } = await gateway.complete({ prompt: 'x', tools: [add] });
    expectTypeOf(toolCalls[0]?.input).toEqualTypeOf<{ a: number; b: number } | undefined>();
    expect(toolCalls).toMatchObject([{ name: 'add', input: { a: 1, b: 2 } }]);
    expect(main.requests[0]?.tools).toMatchObject([{ name: 'add', parameters: { type: 'object' } }]);
  });

  it('say what is wrong with a call, and leave its input out', async () => {
    for (const [name, args, problem] of [
      ['add', '{"a":1}', 'b: '],
      ['sub', '{}', 'there is no tool of that name; there are add'],
    ] as const) {
      const { gateway } = mockedGateway({ main: [call(name, args)] });
      const [made] = (await gateway.complete({ prompt: 'x', tools: [add] })).toolCalls;
      expect(made?.parseError).toContain(problem);
      expect(made).not.toHaveProperty('input');
    }
  });

  it('leave a JSON Schema beyond their reach unchecked', async () => {
    const parameters = { type: 'object', properties: { a: { $ref: 'https://example.com/a' } } };
    const { gateway } = mockedGateway({ main: [call('far', '{"a":1}')] });
    const { toolCalls } = await gateway.complete({ prompt: 'x', tools: [{ name: 'far', parameters }] });
    expect(toolCalls).toMatchObject([{ input: { a: 1 } }]);
  });
});
