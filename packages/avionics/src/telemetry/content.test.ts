import { AirframeError, type InferenceRequest } from '@x/airframe';
import { describe, expect, it } from 'vitest';
import { askThrough, telemetryWithSdk } from '../../test/telemetry-sdk.ts';
import { MockProvider, type MockProviderOptions } from '../providers/mock.ts';

const tool = { name: 'weather', description: 'Weather of a place', parameters: { type: 'object' } };
const image = `data:image/png;base64,${'A'.repeat(1_000)}`;
const request: InferenceRequest = {
  messages: [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'And there?' },
        { type: 'image', url: image },
        { type: 'image', url: 'https://example.com/a.png' },
      ],
    },
    {
      role: 'assistant',
      content: 'I look.',
      reasoning: [{ text: 'hm' }],
      toolCalls: [{ id: 'c1', name: 'weather', arguments: '{"city":"Bonn"}' }],
    },
    { role: 'tool', toolCallId: 'c1', content: 'rain' },
  ],
  tools: [tool],
};

const CONTENT = [
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
];

async function attributesOf(options: MockProviderOptions, captureContent?: boolean, asked = request) {
  const sdk = telemetryWithSdk(captureContent === undefined ? {} : { captureContent });
  await askThrough(sdk.telemetry, [{ provider: new MockProvider(options) }], asked);
  return {
    attempt: sdk.spans()[0]?.attributes ?? {},
    all: JSON.stringify(sdk.spans().map(span => [span.name, span.attributes, span.status, span.events])),
  };
}

const parsed = (value: unknown) => JSON.parse(String(value));

describe('content', () => {
  it('stands on no span unless asked for, not even where an error quotes it', async () => {
    const error = new AirframeError('invalid_request', 'bad value: And there?', { code: 'And there?' });
    const { all } = await attributesOf({ responses: [{ chunks: ['It ', 'rains'], error }] });
    for (const said of ['And there?', 'Be brief', 'rain', 'weather', 'Bonn', ...CONTENT])
      expect(all).not.toContain(said);
  });

  it('stands on the span of the attempt when asked for, in the form of the conventions', async () => {
    const toolCalls = [{ id: 'c2', name: 'weather', arguments: '{"city":"Ulm"}' }];
    const { attempt } = await attributesOf(
      { responses: [{ text: 'Wait.', reasoning: 'so', toolCalls }] },
      true,
    );
    expect(parsed(attempt['gen_ai.system_instructions'])).toEqual([{ type: 'text', content: 'Be brief.' }]);
    expect(parsed(attempt['gen_ai.input.messages'])).toEqual([
      {
        role: 'user',
        parts: [
          { type: 'text', content: 'And there?' },
          { type: 'blob', modality: 'image', mime_type: 'image/png', content: '(1000 characters left out)' },
          { type: 'uri', modality: 'image', uri: 'https://example.com/a.png' },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', content: 'hm' },
          { type: 'text', content: 'I look.' },
          { type: 'tool_call', id: 'c1', name: 'weather', arguments: { city: 'Bonn' } },
        ],
      },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'rain' }] },
    ]);
    expect(parsed(attempt['gen_ai.tool.definitions'])).toEqual([{ type: 'function', ...tool }]);
    expect(parsed(attempt['gen_ai.output.messages'])).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', content: 'so' },
          { type: 'text', content: 'Wait.' },
          { type: 'tool_call', id: 'c2', name: 'weather', arguments: { city: 'Ulm' } },
        ],
        finish_reason: expect.any(String),
      },
    ]);
  });

  it('of a raw prompt is one message', async () => {
    const { attempt } = await attributesOf({}, true, { prompt: 'Once upon' });
    expect(parsed(attempt['gen_ai.input.messages'])).toEqual([
      { role: 'user', parts: [{ type: 'text', content: 'Once upon' }] },
    ]);
    expect(attempt).not.toHaveProperty('gen_ai.system_instructions');
  });

  it('never holds a key, though one stands in the conversation', async () => {
    const key = 'sk-live-0123456789abcdef0123';
    const asked: InferenceRequest = { messages: [{ role: 'user', content: `my key is ${key}` }] };
    const { attempt, all } = await attributesOf({ responses: [`it is ${key}`] }, true, asked);
    expect(all).not.toContain(key);
    expect(parsed(attempt['gen_ai.input.messages'])[0].parts).toEqual([
      { type: 'text', content: 'my key is ***' },
    ]);
  });
});
