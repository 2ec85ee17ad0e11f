import type { ResponseFormat, ToolChoice } from '@x/airframe';
import type { CompletionRequest } from '@x/avionics';
import { defined } from '../../defined.ts';
import { asksNothing } from '../checks.ts';
import type { Asked } from '../protocol.ts';
import { readBody } from '../read.ts';
import { ResponseWriter } from './answer.ts';
import { conversationOf } from './input.ts';
import { responsesSchema, TOLD, type WireFormat, type WireRequest, type WireTool } from './wire.ts';

/**
 * What a client of `/v1/responses` asks. The gateway keeps no state, so the whole conversation has to be in `input`.
 * @throws AirframeError (invalid_request) that names each field that is wrong, and its value
 */
export function readResponses(body: unknown): Asked {
  const wire = readBody(responsesSchema, body);
  return {
    model: wire.model ?? '',
    stream: wire.stream === true,
    request: requestOf(wire),
    ignored: ignoredIn(wire),
    answer: facts =>
      new ResponseWriter(facts, echoOf(wire), wire.reasoning?.summary ? 'summary_text' : 'reasoning_text'),
  };
}

function ignoredIn(wire: WireRequest): string[] {
  return [
    ...TOLD.filter(name => !asksNothing(wire[name])),
    ...(wire.text?.verbosity ? ['text.verbosity'] : []),
    ...(wire.truncation === 'auto' ? ['truncation'] : []),
    ...(wire.tools?.some(({ strict }) => strict) ? ['tools.strict'] : []),
  ];
}

function requestOf(wire: WireRequest): CompletionRequest {
  const { text, reasoning, prompt_cache_key: key } = wire;
  return {
    messages: conversationOf(wire),
    ...toolsOf(wire),
    ...defined({
      parallelToolCalls: wire.parallel_tool_calls ?? undefined,
      responseFormat: text?.format ? formatOf(text.format) : undefined,
      reasoning: reasoning?.effort ? { effort: reasoning.effort } : undefined,
      promptCache: key ? { key } : undefined,
      serviceTier: wire.service_tier ?? undefined,
      temperature: wire.temperature ?? undefined,
      topP: wire.top_p ?? undefined,
      maxTokens: wire.max_output_tokens ?? undefined,
      metadata: wire.metadata ?? undefined,
    }),
  };
}

/** Of tools that are there but not allowed the model need not know. */
function toolsOf({
  tools,
  tool_choice: choice,
}: WireRequest): Pick<CompletionRequest, 'tools' | 'toolChoice'> {
  if (!choice || typeof choice === 'string') {
    return defined({ tools: tools?.map(toolOf), toolChoice: choice ?? undefined });
  }
  if (choice.type === 'function') {
    const toolChoice: ToolChoice = { name: choice.name };
    return defined({ tools: tools?.map(toolOf), toolChoice });
  }
  const allowed = new Set(choice.tools.map(({ name }) => name));
  const toolChoice: ToolChoice = choice.mode;
  return defined({ tools: tools?.filter(({ name }) => allowed.has(name)).map(toolOf), toolChoice });
}

function toolOf({ name, description, parameters }: WireTool) {
  return {
    name,
    ...(description ? { description } : {}),
    parameters: parameters ?? { type: 'object', properties: {} },
  };
}

function formatOf(format: WireFormat): ResponseFormat {
  if (format.type !== 'json_schema') return { type: format.type === 'text' ? 'text' : 'json' };
  const { type, name, schema, strict } = format;
  return { type, name, schema, ...defined({ strict: strict ?? undefined }) };
}

/** What of a request stands in its answer. */
function echoOf(wire: WireRequest): Record<string, unknown> {
  return {
    background: false,
    instructions: wire.instructions ?? null,
    max_output_tokens: wire.max_output_tokens ?? null,
    metadata: wire.metadata ?? {},
    parallel_tool_calls: wire.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: wire.prompt_cache_key ?? null,
    reasoning: { effort: wire.reasoning?.effort ?? null, summary: wire.reasoning?.summary ?? null },
    service_tier: wire.service_tier ?? null,
    store: false,
    temperature: wire.temperature ?? null,
    text: { format: wire.text?.format ?? { type: 'text' } },
    tool_choice: wire.tool_choice ?? 'auto',
    tools: wire.tools ?? [],
    top_p: wire.top_p ?? null,
    truncation: 'disabled',
  };
}
