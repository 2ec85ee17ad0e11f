import {
  AirframeError,
  type Message,
  type ResponseFormat,
  type ToolChoice,
  type ToolSpec,
  type UserMessage,
} from '@x/airframe';
import type { CompletionRequest } from '@x/avionics';
import type { Asked } from '../protocol.ts';
import { leftOut, picked, readBody, unsupported } from '../read.ts';
import { ChatAnswer } from './answer.ts';
import { isPlainChat } from './plain.ts';
import { type ChatMessage, type ChatRequest, chatRequestSchema, KNOWN, PASSED_ON } from './wire.ts';

/** What a client of Chat Completions asks. @throws AirframeError (invalid_request) */
export function readChat(body: unknown): Asked {
  const asked = isPlainChat(body) ? body : readBody(chatRequestSchema, body);
  if ((asked.n ?? 1) !== 1)
    unsupported('n', 'the gateway gives one answer a call; send the call again instead');
  if (asked.logprobs) unsupported('logprobs', 'not every provider has them; leave it out');
  const stream = asked.stream ?? false;
  return {
    model: asked.model ?? '',
    stream,
    request: requestOf(asked),
    ignored: ignoredIn(asked),
    answer: facts => new ChatAnswer(facts, asked.stream_options?.include_usage ?? false),
  };
}

function ignoredIn(asked: ChatRequest): string[] {
  const names = leftOut(asked, KNOWN);
  if (asked.tools?.some(tool => tool.function.strict)) names.push('tools.function.strict');
  return names;
}

function requestOf(asked: ChatRequest): CompletionRequest {
  const request: CompletionRequest = { messages: asked.messages.map(messageOf) };
  const { temperature, top_p, seed, stop, tools } = asked;
  const maxTokens = asked.max_completion_tokens ?? asked.max_tokens;
  if (temperature != null) request.temperature = temperature;
  if (top_p != null) request.topP = top_p;
  if (maxTokens != null) request.maxTokens = maxTokens;
  if (seed != null) request.seed = seed;
  if (stop != null) request.stop = typeof stop === 'string' ? [stop] : stop;
  if (tools?.length) Object.assign(request, toolFieldsOf(asked));
  if (asked.response_format) request.responseFormat = formatOf(asked.response_format);
  if (asked.reasoning_effort) request.reasoning = { effort: asked.reasoning_effort };
  if (asked.service_tier) request.serviceTier = asked.service_tier;
  if (asked.prompt_cache_key) request.promptCache = { key: asked.prompt_cache_key };
  const extra = picked(asked, PASSED_ON);
  if (extra) request.extra = extra;
  return request;
}

function toolFieldsOf({ tools, tool_choice: choice, parallel_tool_calls: parallel }: ChatRequest) {
  const specs: ToolSpec[] = (tools ?? [])
    .filter(isAllowed(choice))
    .map(({ function: { name, description, parameters } }) => ({
      name,
      parameters: parameters ?? { type: 'object', properties: {} },
      ...(description ? { description } : {}),
    }));
  return {
    tools: specs,
    ...(choice ? { toolChoice: choiceOf(choice) } : {}),
    ...(parallel == null ? {} : { parallelToolCalls: parallel }),
  };
}

type WireChoice = NonNullable<ChatRequest['tool_choice']>;

function choiceOf(choice: WireChoice): ToolChoice {
  if (typeof choice === 'string') return choice;
  return choice.type === 'function' ? { name: choice.function.name } : choice.allowed_tools.mode;
}

/** Of tools that are there but not allowed the model need not know. */
function isAllowed(choice: WireChoice | null | undefined): (tool: { function: { name: string } }) => boolean {
  if (!choice || typeof choice === 'string' || choice.type === 'function') return () => true;
  const allowed = new Set(choice.allowed_tools.tools.map(tool => tool.function.name));
  return tool => allowed.has(tool.function.name);
}

function formatOf(format: NonNullable<ChatRequest['response_format']>): ResponseFormat {
  if (format.type === 'text') return { type: 'text' };
  if (format.type === 'json_object') return { type: 'json' };
  const { name, schema, strict } = format.json_schema;
  if (!schema) {
    throw new AirframeError(
      'invalid_request',
      'response_format.json_schema.schema is missing; give a JSON Schema',
    );
  }
  return {
    type: 'json_schema',
    schema,
    ...(name ? { name } : {}),
    ...(strict == null ? {} : { strict }),
  };
}

function messageOf(message: ChatMessage): Message {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: textOf(message.content) };
    case 'user':
      return { role: 'user', content: userContentOf(message.content) };
    case 'tool':
      return { role: 'tool', toolCallId: message.tool_call_id, content: textOf(message.content) };
    case 'assistant': {
      const { reasoning_content: reasoning, tool_calls: calls } = message;
      return {
        role: 'assistant',
        content: message.content == null ? '' : textOf(message.content),
        ...(reasoning ? { reasoning: [{ text: reasoning }] } : {}),
        ...(calls?.length
          ? {
              toolCalls: calls.map(({ id, function: { name, arguments: args } }) => ({
                id,
                name,
                arguments: args,
              })),
            }
          : {}),
      };
    }
  }
}

type UserContent = Extract<ChatMessage, { role: 'user' }>['content'];

function userContentOf(content: UserContent): UserMessage['content'] {
  if (typeof content === 'string') return content;
  return content.map(part => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    const { image_url: image } = part;
    return { type: 'image', url: typeof image === 'string' ? image : image.url };
  });
}

function textOf(content: string | ({ text: string } | { type: 'refusal'; refusal: string })[]): string {
  if (typeof content === 'string') return content;
  return content.map(part => ('refusal' in part ? part.refusal : part.text)).join('');
}
