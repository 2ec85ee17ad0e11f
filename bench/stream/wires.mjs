// The two protocols, as their services write them.
import { TOOL } from './workload.mjs';

const data = value => `data: ${JSON.stringify(value)}\n\n`;

const chunk = (choices, more = {}) =>
  data({
    id: 'chatcmpl-CkV7mQ2xYb9dT4nZr8sWfLhJpAeGu',
    object: 'chat.completion.chunk',
    created: 1764950400,
    model: 'gpt-5-mini-2025-08-07',
    service_tier: 'default',
    system_fingerprint: null,
    choices,
    usage: null,
    ...more,
  });
const choice = (delta, finish_reason = null) => [{ index: 0, delta, logprobs: null, finish_reason }];

const openai = {
  open: tools =>
    chunk(choice({ role: 'assistant', content: tools ? null : '', refusal: null })) +
    (tools ? chunk(choice({ tool_calls: [openaiCall({ name: TOOL.name, arguments: '' })] })) : ''),
  text: (content, more) => chunk(choice({ content }), more),
  argument: text => chunk(choice({ tool_calls: [{ index: 0, function: { arguments: text } }] })),
  close: (tools, events) =>
    chunk(choice({}, tools ? 'tool_calls' : 'stop')) +
    chunk([], { usage: { prompt_tokens: 12, completion_tokens: events, total_tokens: 12 + events } }) +
    'data: [DONE]\n\n',
};
const openaiCall = call => ({ index: 0, id: 'call_Zr8sWfLhJpAeGu', type: 'function', function: call });

const event = value => `event: ${value.type}\n${data(value)}`;
const delta = (value, more) => event({ type: 'content_block_delta', index: 0, delta: value, ...more });

const anthropic = {
  open: tools =>
    event({
      type: 'message_start',
      message: {
        id: 'msg_01CkV7mQ2xYb9dT4nZr8sWfL',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5-20250929',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 12, output_tokens: 1 },
      },
    }) +
    event({
      type: 'content_block_start',
      index: 0,
      content_block: tools
        ? { type: 'tool_use', id: 'toolu_01Zr8sWfLhJpAeGu', name: TOOL.name, input: {} }
        : { type: 'text', text: '' },
    }),
  text: (text, more) => delta({ type: 'text_delta', text }, more),
  argument: text => delta({ type: 'input_json_delta', partial_json: text }),
  close: (tools, events) =>
    event({ type: 'content_block_stop', index: 0 }) +
    event({
      type: 'message_delta',
      delta: { stop_reason: tools ? 'tool_use' : 'end_turn', stop_sequence: null },
      usage: { output_tokens: events },
    }) +
    event({ type: 'message_stop' }),
};

/** Route → protocol. */
export const WIRES = { '/v1/chat/completions': openai, '/v1/messages': anthropic };
