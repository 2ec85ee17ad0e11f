import { describe, expect, it } from 'vitest';
import { GENERIC, PROFILES, type Profile } from './profiles.ts';
import { inferenceCall, type OpenAIChatRequest } from './request.ts';

const messages = [{ role: 'user' as const, content: 'hi' }];
const tools = [{ name: 'a', parameters: { type: 'object' } }];

function bodyOf(profile: Profile, request: Partial<OpenAIChatRequest>): Record<string, unknown> {
  return inferenceCall({ messages, ...request } as OpenAIChatRequest, profile, 'm', {}).body;
}

const call = { id: 'call_abc', name: 'a', arguments: '{"x":1}' };
const history = (reasoning?: { text: string; signature?: string }[], signature?: string) => [
  ...messages,
  {
    role: 'assistant' as const,
    content: '',
    ...(reasoning ? { reasoning } : {}),
    toolCalls: [{ ...call, ...(signature ? { signature } : {}) }],
  },
  { role: 'tool' as const, toolCallId: 'call_abc', content: '4' },
];
const assistantOf = (body: Record<string, unknown>) =>
  (body['messages'] as { role: string; [key: string]: unknown }[]).find(one => one.role === 'assistant');

describe('history', () => {
  it('has arguments as text, and the result under the id of its call', () => {
    expect(bodyOf(PROFILES.openai, { messages: history() })['messages']).toEqual([
      messages[0],
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 'call_abc', type: 'function', function: { name: 'a', arguments: '{"x":1}' } }],
      },
      { role: 'tool', tool_call_id: 'call_abc', content: '4' },
    ]);
  });

  it('gives Mistral ids of nine characters, the same for a call and its result', () => {
    const sent = bodyOf(PROFILES.mistral, { messages: history() });
    const [, assistant, result] = sent['messages'] as [unknown, { tool_calls: { id: string }[] }, object];
    const id = assistant.tool_calls[0]?.id;
    expect(id).toMatch(/^[a-z0-9]{9}$/);
    expect(result).toMatchObject({ tool_call_id: id });
    const own = history().map(one => (one.role === 'tool' ? { ...one, toolCallId: 'D681PevKs' } : one));
    expect(bodyOf(PROFILES.mistral, { messages: own })['messages']).toMatchObject([
      {},
      {},
      { tool_call_id: 'D681PevKs' },
    ]);
  });

  it.each([
    ['openai', undefined],
    ['mistral', undefined],
    ['vllm', { reasoning: 'think' }],
    ['ollama', { reasoning: 'think' }],
    ['deepseek', { reasoning_content: 'think' }],
    ['openrouter', { reasoning: 'think' }],
  ] as const)('%s gets earlier thinking as %j', (name, expected) => {
    const assistant = assistantOf(bodyOf(PROFILES[name], { messages: history([{ text: 'think' }]) }));
    if (expected) expect(assistant).toMatchObject(expected);
    else expect(Object.keys(assistant ?? {})).toEqual(['role', 'content', 'tool_calls']);
  });

  it('keeps DeepSeek’s thinking for conversations with tools, where a call without it is refused', () => {
    const plain = [...messages, { role: 'assistant' as const, content: 'a', reasoning: [{ text: 'think' }] }];
    expect(assistantOf(bodyOf(PROFILES.deepseek, { messages: plain }))).not.toHaveProperty(
      'reasoning_content',
    );
    expect(assistantOf(bodyOf(PROFILES.deepseek, { messages: plain, tools }))).toMatchObject({
      reasoning_content: 'think',
    });
    expect(assistantOf(bodyOf(PROFILES.deepseek, { messages: history() }))).toMatchObject({
      reasoning_content: '',
    });
  });

  it('gives OpenRouter its reasoning_details back, and no signature of another adapter', () => {
    const signed = { type: 'reasoning.text', signature: 'S', format: 'anthropic-claude-v1', index: 0 };
    const encrypted = { type: 'reasoning.encrypted', data: 'D', id: 'rs_1' };
    const reasoning = [
      { text: 'one', signature: JSON.stringify(signed) },
      { text: 'sum', signature: JSON.stringify(encrypted) },
      { text: 'foreign', signature: 'anthropic:0.0:xyz' },
    ];
    expect(assistantOf(bodyOf(PROFILES.openrouter, { messages: history(reasoning) }))).toMatchObject({
      reasoning_details: [
        { ...signed, text: 'one' },
        { type: 'reasoning.summary', summary: 'sum' },
        encrypted,
        { type: 'reasoning.text', text: 'foreign' },
      ],
    });
  });

  it('gives unknown keys of a tool call back where they came from, and to nobody strict', () => {
    const extra_content = { google: { thought_signature: 'T' } };
    const sent = (profile: Profile) =>
      assistantOf(bodyOf(profile, { messages: history(undefined, JSON.stringify({ extra_content })) }));
    expect(sent(GENERIC)).toMatchObject({ tool_calls: [{ extra_content }] });
    expect(JSON.stringify(sent(PROFILES.openai))).not.toContain('extra_content');
  });
});
