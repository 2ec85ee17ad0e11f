import type { Message, ToolSpec } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { LlamaCppRequest } from '../request.ts';
import { isPlain, plainRequest } from './plain-request.ts';

const feet = { type: 'object', properties: { feet: { type: 'integer' } }, required: ['feet'] };
const climb: ToolSpec = { name: 'climb', description: 'Climbs.', parameters: feet };
const land: ToolSpec = { name: 'land', parameters: { type: 'object', properties: {} } };
const question: Message = { role: 'user', content: 'Up?' };
const called: Message = {
  role: 'assistant',
  content: '',
  toolCalls: [
    { id: 'a', name: 'climb', arguments: '{"feet": 3}', input: { feet: 3 } },
    { id: 'b', name: 'climb', arguments: '{"feet', parseError: 'cut' },
  ],
};
const results: Message[] = [
  { role: 'tool', toolCallId: 'b', content: 'which?', isError: true },
  { role: 'tool', toolCallId: 'a', content: '{"ok":true}' },
];
const offering = (more: Partial<LlamaCppRequest> = {}): LlamaCppRequest =>
  ({ messages: [question], tools: [climb, land], ...more }) as LlamaCppRequest;

const contents = (request: LlamaCppRequest) => plainRequest(request).messages?.map(({ content }) => content);

/** Whether the schema of a request's answer takes these answers. */
function accepts(request: LlamaCppRequest, ...answers: unknown[]): boolean[] {
  const { responseFormat } = plainRequest(request);
  if (responseFormat?.type !== 'json_schema') throw new Error('the answer is free');
  const schema = z.fromJSONSchema(responseFormat.schema);
  return answers.map(answer => schema.safeParse(answer).success);
}

const up = { name: 'climb', arguments: { feet: 3 } };
const down = { name: 'land', arguments: {} };

describe('a request in which nothing of tools is', () => {
  it('stays what it is', () => {
    const request = { messages: [question], tools: [], stop: ['x'] };
    expect(isPlain(request)).toBe(true);
    expect(plainRequest(request)).toBe(request);
  });
});

describe('tools', () => {
  it('are told in the system message, with how to call them', () => {
    const [system, ...rest] = contents(offering()) ?? [];
    expect(system).toBe(`You have these tools:
{"name":"climb","description":"Climbs.","parameters":${JSON.stringify(feet)}}
{"name":"land","parameters":{"type":"object","properties":{}}}
Answer with nothing but one JSON object. To call tools, it is:
{"tool_calls": [{"name": <name of the tool>, "arguments": <object by its parameters>}, ...]}
The next message has their results.
To answer without a tool, it is:
{"response": <your answer>}`);
    expect(rest).toEqual(['Up?']);
  });

  it('are told behind what the system message says already', () => {
    const messages: Message[] = [{ role: 'system', content: 'Be brief.' }, question];
    const told = contents(offering({ messages })) ?? [];
    expect(told).toHaveLength(2);
    expect(told[0]).toMatch(/^Be brief\.\n\nYou have these tools:\n/);
  });

  it('or words make an answer, as long as nothing says otherwise', () => {
    const answers = [{ response: 'no' }, { tool_calls: [up] }, { tool_calls: [up, down] }];
    expect(accepts(offering(), ...answers)).toEqual([true, true, true]);
    expect(accepts(offering({ toolChoice: 'auto' }), ...answers)).toEqual([true, true, true]);
    expect(accepts(offering({ parallelToolCalls: false }), ...answers)).toEqual([true, true, false]);
    expect(accepts(offering({ toolChoice: 'required' }), ...answers)).toEqual([false, true, true]);
    expect(accepts(offering({ toolChoice: { name: 'land' } }), ...answers, { tool_calls: [down] })).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it('hold the answer to their own schemas', () => {
    const wrong = [
      { tool_calls: [] },
      { tool_calls: [{ name: 'fly', arguments: {} }] },
      { tool_calls: [{ name: 'climb', arguments: { feet: 'three' } }] },
      { tool_calls: [{ name: 'land', arguments: {}, why: 1 }] },
      { tool_calls: [down], response: 'and' },
      'land',
    ];
    expect(accepts(offering(), ...wrong)).toEqual(wrong.map(() => false));
  });

  it('say only what may be called now', () => {
    const [one] = contents(offering({ toolChoice: { name: 'climb' }, parallelToolCalls: false })) ?? [];
    expect(one).not.toContain('land');
    expect(one).not.toContain('...');
    expect(one).not.toContain('response');
  });

  it('have no say with the choice none', () => {
    const responseFormat = { type: 'json' as const };
    const request = offering({ toolChoice: 'none', responseFormat, stop: ['x'] });
    expect(plainRequest(request)).toEqual({ messages: [question], responseFormat, stop: ['x'] });
    expect(plainRequest({ prompt: 'x', tools: [climb], toolChoice: 'none' })).toEqual({ prompt: 'x' });
  });

  it('may have schemas that point into themselves', () => {
    const tree = {
      name: 'plant',
      parameters: {
        type: 'object',
        properties: { root: { $ref: '#/$defs/node' }, again: { $ref: '#' }, kind: { type: 'string' } },
        required: ['root'],
        $defs: {
          node: {
            type: 'object',
            properties: {
              kind: { $ref: '#/properties/kind' },
              children: { type: 'array', items: { $ref: '#/$defs/node' } },
            },
            required: ['kind'],
          },
        },
      },
    };
    const request = offering({ tools: [tree, climb] });
    const plants = (root: unknown) => ({ tool_calls: [{ name: 'plant', arguments: { root } }] });
    const good = { kind: 'oak', children: [{ kind: 'twig', children: [] }] };
    expect(accepts(request, plants(good), plants({ ...good, children: [{}] }), { tool_calls: [up] })).toEqual(
      [true, false, true],
    );
  });

  it.each(['#/$defs/gone', 'https://example.com/schema', '#/properties/feet/type'])(
    'are refused when their schema points to %s',
    $ref => {
      const tools = [{ name: 'lost', parameters: { ...feet, items: { $ref } } }];
      expect(() => plainRequest(offering({ tools }))).toThrow(
        expect.objectContaining({
          category: 'invalid_request',
          message: expect.stringContaining(`tool lost has no ${$ref}`),
        }),
      );
    },
  );

  it('end with no stop sequence of the way an answer is written', () => {
    expect(plainRequest(offering({ stop: ['"'] }))).not.toHaveProperty('stop');
  });
});

describe('a chat with calls and results', () => {
  it('is written out in the format, results in the order of their calls', () => {
    const messages = [question, called, ...results, { role: 'user', content: 'And?' }] as Message[];
    expect(contents(offering({ messages }))?.slice(1)).toEqual([
      'Up?',
      '{"tool_calls": [{"name": "climb", "arguments": {"feet": 3}}, {"name": "climb", "arguments": "{\\"feet"}]}',
      '{"tool_results": [{"name": "climb", "result": "{\\"ok\\":true}"}, {"name": "climb", "error": "which?"}]}\nAnd?',
    ]);
  });

  it('has the results of the last calls at its end', () => {
    const told = plainRequest(offering({ messages: [question, called, ...results] })).messages ?? [];
    expect(told.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
  });

  it('shows earlier answers as the next one has to be', () => {
    const said: Message = { role: 'assistant', content: 'No "way".', reasoning: [{ text: 'hm' }] };
    const told = plainRequest(offering({ messages: [question, said, question] })).messages ?? [];
    expect(told[2]).toEqual({ ...said, content: '{"response": "No \\"way\\"."}' });
  });

  it('is written out without tools, too, and answers stay as they were then', () => {
    const said = { ...called, content: 'Let me see.' } as Message;
    const request = {
      messages: [question, said, ...results, { role: 'assistant', content: 'Done.' }, question],
    };
    expect(isPlain(request as LlamaCppRequest)).toBe(false);
    const told = plainRequest(request as LlamaCppRequest);
    expect(told).not.toHaveProperty('responseFormat');
    expect(told.messages?.map(({ content }) => content)).toEqual([
      'Up?',
      expect.stringMatching(/^Let me see\.\n\{"tool_calls": /),
      expect.stringMatching(/^\{"tool_results": /),
      'Done.',
      'Up?',
    ]);
  });

  it('keeps the images of a message behind results', () => {
    const image = { type: 'image' as const, url: 'data:image/png;base64,AA' };
    const messages = [question, called, ...results, { role: 'user', content: [image] }] as Message[];
    const told = plainRequest(offering({ messages })).messages ?? [];
    expect(told.at(-1)?.content).toEqual([
      { type: 'text', text: expect.stringMatching(/^\{"tool_res/) },
      image,
    ]);
  });
});

describe('what cannot be had together with tools', () => {
  it.each([
    ['a prompt', { prompt: 'x', messages: undefined }],
    ['responseFormat', { responseFormat: { type: 'json' } }],
    ['extra.grammar', { extra: { grammar: 'root ::= "x"' } }],
    ['extra.json_schema', { extra: { json_schema: {} } }],
    ['extra.response_format', { extra: { response_format: {} } }],
    ['a last message of the assistant', { messages: [question, { role: 'assistant', content: 'It' }] }],
  ])('%s is refused by name', (what, more) => {
    expect(() => plainRequest(offering(more as object))).toThrow(
      expect.objectContaining({
        category: 'invalid_request',
        code: 'unsupported',
        message: expect.stringContaining(what),
      }),
    );
  });

  it('is a choice of a tool that is not there', () => {
    expect(() => plainRequest(offering({ toolChoice: { name: 'fly' } }))).toThrow(
      'toolChoice names fly, which is not among tools: climb, land',
    );
  });
});
