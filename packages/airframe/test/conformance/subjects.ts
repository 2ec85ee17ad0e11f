import {
  type Adapter,
  anthropicMessagesAdapter,
  azureOpenAIAdapter,
  llamaServerAdapter,
  openAIChatAdapter,
  openAIResponsesAdapter,
} from '@x/airframe';
import {
  CONFORMANCE_KEY,
  type ConformanceSubject,
  type Dialect,
  type Frame,
  type ScriptedReply,
} from '@x/airframe/conformance';

const message = (data: object): Frame => ({ data });

const chatUsage = ({ promptTokens, completionTokens }: ScriptedReply) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
});

const chunk = (delta: object, finish: string | null = null): Frame =>
  message({ id: 'c1', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] });

/** Chat Completions: OpenAI, Azure, llama-server's route of that name. */
export const chatDialect: Dialect = {
  body: ({ text, toolCalls }) => [
    ...text.map(content => chunk({ content })),
    ...toolCalls.flatMap(({ id, name, arguments: pieces }, index) =>
      pieces.map((piece, at) =>
        chunk({
          tool_calls: [
            {
              index,
              ...(at === 0 ? { id, type: 'function' } : {}),
              function: { ...(at === 0 ? { name } : {}), arguments: piece },
            },
          ],
        }),
      ),
    ),
  ],
  ending: reply => [
    chunk({}, reply.finishReason),
    message({ id: 'c1', choices: [], usage: chatUsage(reply) }),
    { data: '[DONE]' },
  ],
  json: reply => ({
    id: 'c1',
    model: 'm',
    choices: [
      {
        index: 0,
        finish_reason: reply.finishReason,
        message: {
          role: 'assistant',
          content: reply.text.join(''),
          tool_calls: reply.toolCalls.map(({ id, name, arguments: pieces }) => ({
            id,
            type: 'function',
            function: { name, arguments: pieces.join('') },
          })),
        },
      },
    ],
    usage: chatUsage(reply),
  }),
  error: text => [message({ error: { message: text, type: 'server_error', code: null } })],
};

const completion = (content: string, reply: ScriptedReply) => ({
  content,
  stop: true,
  stop_type: reply.finishReason === 'length' ? 'limit' : 'eos',
  tokens_evaluated: reply.promptTokens,
  tokens_predicted: reply.completionTokens,
});

/** Only the chat route knows tools. */
const isChat = ({ toolCalls }: ScriptedReply) => toolCalls.length > 0;

/** llama-server's `/completion`, behind `/apply-template`. */
const completionDialect: Dialect = {
  body: reply =>
    isChat(reply) ? chatDialect.body(reply) : reply.text.map(content => message({ content, stop: false })),
  ending: reply => (isChat(reply) ? chatDialect.ending(reply) : [message(completion('', reply))]),
  json: reply => (isChat(reply) ? chatDialect.json(reply) : completion(reply.text.join(''), reply)),
  error: text => [message({ error: { code: 500, message: text, type: 'server_error' } })],
  aside: path => (path === '/apply-template' ? { prompt: 'Say hello.' } : undefined),
};

const named = (event: string, data: object): Frame => ({ event, data: { type: event, ...data } });

const responseUsage = ({ promptTokens, completionTokens }: ScriptedReply) => ({
  input_tokens: promptTokens,
  output_tokens: completionTokens,
});

const responseItems = ({ text, toolCalls }: ScriptedReply) => [
  { type: 'message', id: 'msg_1', content: [{ type: 'output_text', text: text.join('') }] },
  ...toolCalls.map(({ id, name, arguments: pieces }, at) => ({
    type: 'function_call',
    id: `fc_${at}`,
    call_id: id,
    name,
    arguments: pieces.join(''),
  })),
];

const responseEnd = (reply: ScriptedReply) =>
  reply.finishReason === 'length'
    ? { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }
    : { status: 'completed' };

const responsesDialect: Dialect = {
  body: reply => [
    named('response.created', { response: { id: 'resp_1', model: 'm' } }),
    named('response.output_item.added', { output_index: 0, item: { type: 'message', id: 'msg_1' } }),
    ...reply.text.map(delta =>
      named('response.output_text.delta', { item_id: 'msg_1', output_index: 0, content_index: 0, delta }),
    ),
    ...reply.toolCalls.flatMap(({ id, name, arguments: pieces }, at) => [
      named('response.output_item.added', {
        output_index: at + 1,
        item: { type: 'function_call', id: `fc_${at}`, call_id: id, name, arguments: '' },
      }),
      ...pieces.map(delta =>
        named('response.function_call_arguments.delta', { item_id: `fc_${at}`, output_index: at + 1, delta }),
      ),
    ]),
  ],
  ending: reply => [
    named(`response.${responseEnd(reply).status}`, {
      response: { id: 'resp_1', ...responseEnd(reply), usage: responseUsage(reply) },
    }),
  ],
  json: reply => ({
    id: 'resp_1',
    model: 'm',
    ...responseEnd(reply),
    output: responseItems(reply),
    usage: responseUsage(reply),
  }),
  error: text => [named('error', { code: 'server_error', message: text, param: null })],
};

const STOP_REASONS = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' };

const messagesDialect: Dialect = {
  body: ({ text, toolCalls, promptTokens }) => [
    named('message_start', {
      message: { id: 'msg_1', model: 'm', usage: { input_tokens: promptTokens, output_tokens: 1 } },
    }),
    named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...text.map(piece =>
      named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: piece } }),
    ),
    named('content_block_stop', { index: 0 }),
    ...toolCalls.flatMap(({ id, name, arguments: pieces }, at) => [
      named('content_block_start', {
        index: at + 1,
        content_block: { type: 'tool_use', id, name, input: {} },
      }),
      ...pieces.map(piece =>
        named('content_block_delta', {
          index: at + 1,
          delta: { type: 'input_json_delta', partial_json: piece },
        }),
      ),
      named('content_block_stop', { index: at + 1 }),
    ]),
  ],
  ending: ({ finishReason, completionTokens }) => [
    named('message_delta', {
      delta: { stop_reason: STOP_REASONS[finishReason] },
      usage: { output_tokens: completionTokens },
    }),
    named('message_stop', {}),
  ],
  json: ({ text, toolCalls, finishReason, promptTokens, completionTokens }) => ({
    type: 'message',
    id: 'msg_1',
    model: 'm',
    content: [
      { type: 'text', text: text.join('') },
      ...toolCalls.map(({ id, name, arguments: pieces }) => ({
        type: 'tool_use',
        id,
        name,
        input: JSON.parse(pieces.join('')) as unknown,
      })),
    ],
    stop_reason: STOP_REASONS[finishReason],
    usage: { input_tokens: promptTokens, output_tokens: completionTokens },
  }),
  error: text => [named('error', { error: { type: 'overloaded_error', message: text } })],
};

function subject(
  name: string,
  backendKind: string,
  adapter: () => Adapter,
  dialect: Dialect,
  options?: Record<string, unknown>,
): ConformanceSubject {
  return {
    name,
    adapter,
    endpoint: baseUrl => ({
      name: 'scripted',
      backendKind,
      baseUrl,
      model: 'm',
      apiKey: CONFORMANCE_KEY,
      ...(options ? { options } : {}),
    }),
    dialect,
  };
}

export const SUBJECTS: readonly ConformanceSubject[] = [
  subject('llama_server, native', 'llama_server', () => llamaServerAdapter(), completionDialect),
  subject('llama_server, openai', 'llama_server', () => llamaServerAdapter(), chatDialect, {
    apiType: 'openai',
  }),
  subject('openai_chat', 'openai_chat', () => openAIChatAdapter(), chatDialect),
  subject('openai_responses', 'openai_responses', () => openAIResponsesAdapter(), responsesDialect),
  subject('anthropic_messages', 'anthropic_messages', () => anthropicMessagesAdapter(), messagesDialect),
  subject('azure_openai', 'azure_openai', () => azureOpenAIAdapter(), chatDialect, {
    deployment: 'm',
  }),
];
