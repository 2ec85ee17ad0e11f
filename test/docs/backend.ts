// A backend for the fences of Markdown: speaks every protocol that the pages do, and answers in the form asked for.
import { json, type Script, type ScriptedServer, scriptedServer, sse } from '../scripted-server.ts';

type Json = Record<string, unknown>;

/** Answers by path, below whatever prefix. */
export const everyBackend = (): Promise<ScriptedServer> =>
  scriptedServer((response, seen) => {
    const path = seen.path.replace(/^\/at-\d+/, '').replace(/\?.*/, '');
    const [, script] = ROUTES.find(([route]) => route.test(path)) ?? [];
    const unknown = json(404, { error: { message: `the scripted backend has no ${path}` } });
    return (script?.(seen.body as Json, path) ?? unknown)(response, seen);
  });

const ROUTES: [RegExp, (body: Json, path: string) => Script][] = [
  [/\/props$/, () => json(200, { total_slots: 4, default_generation_settings: { n_ctx: 4096 } })],
  [/\/slots$/, () => json(200, [{ id: 0, is_processing: false }])],
  [/\/health$/, () => json(200, { status: 'ok' })],
  [/\/models$/, () => json(200, { data: [{ id: 'scripted', meta: { n_ctx: 4096 } }] })],
  [/\/apply-template$/, () => json(200, { prompt: 'as the template says' })],
  [/\/tokenize$/, () => json(200, { tokens: [1, 2, 3] })],
  [/\/input_tokens$|\/count_tokens$/, () => json(200, { input_tokens: 3 })],
  [/\/embeddings$/, embeddings],
  [/\/completion$/, completion],
  [/\/chat\/completions$/, chat],
  [/\/responses$/, responses],
  [/\/messages$/, messages],
  [/:streamGenerateContent$/, () => sse([GEMINI])],
];

const TEXT = '2 + 2 = 4.';

function embeddings({ input }: Json): Script {
  const texts = Array.isArray(input) ? input : [input];
  const data = texts.map((_, index) => ({ index, embedding: [1, 0] }));
  return json(200, { data, model: 'scripted', usage: { prompt_tokens: 3, total_tokens: 3 } });
}

function completion(body: Json): Script {
  const last = { content: '', stop: true, stop_type: 'eos', tokens_evaluated: 9, tokens_predicted: 6 };
  const content = body['json_schema'] ? JSON.stringify(instance(body['json_schema'])) : TEXT;
  return body['stream'] === false
    ? json(200, { ...last, content })
    : sse([{ content, stop: false }, { ...last }]);
}

function chat(body: Json): Script {
  const schema = (body['response_format'] as { json_schema?: Json } | undefined)?.json_schema;
  const message = called(body) ?? {
    content: schema ? JSON.stringify(instance(schema['schema'])) : TEXT,
  };
  const finish = 'tool_calls' in message ? 'tool_calls' : 'stop';
  const of = { id: 'c1', object: 'chat.completion', created: 1, model: 'scripted' };
  const usage = { prompt_tokens: 9, completion_tokens: 6, total_tokens: 15 };
  const whole = { ...message, role: 'assistant' };
  if (!body['stream'])
    return json(200, { ...of, choices: [{ index: 0, message: whole, finish_reason: finish }], usage });
  return sse([
    { ...of, choices: [{ index: 0, delta: whole, finish_reason: null }] },
    { ...of, choices: [{ index: 0, delta: {}, finish_reason: finish }] },
    { ...of, choices: [], usage },
    '[DONE]',
  ]);
}

/** A call of the first tool, where there are tools and no result of one yet. */
function called({ tools, messages: history }: Json): Json | undefined {
  const [tool] = (tools as { function: { name: string; parameters: unknown } }[] | undefined) ?? [];
  if (!tool || (history as { role: string }[]).some(({ role }) => role === 'tool')) return undefined;
  const { name, parameters } = tool.function;
  const call = { name, arguments: JSON.stringify(instance(parameters)) };
  return { content: null, tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: call }] };
}

function responses(): Script {
  const usage = { input_tokens: 9, output_tokens: 6, total_tokens: 15 };
  const content = [{ type: 'output_text', text: TEXT, annotations: [] }];
  const item = { type: 'message', id: 'm1', role: 'assistant', status: 'completed', content };
  const response = { id: 'r1', model: 'scripted', status: 'completed', output: [item], usage };
  return sse([
    { type: 'response.output_text.delta', item_id: 'm1', output_index: 0, content_index: 0, delta: TEXT },
    { type: 'response.completed', response },
  ]);
}

function messages(): Script {
  const usage = { input_tokens: 9, output_tokens: 1 };
  return sse([
    { type: 'message_start', message: { id: 'm1', role: 'assistant', model: 'scripted', usage } },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: TEXT } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 6 } },
    { type: 'message_stop' },
  ]);
}

const GEMINI = {
  candidates: [{ content: { role: 'model', parts: [{ text: TEXT }] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 6, totalTokenCount: 15 },
};

/** The plainest value that a JSON Schema takes. */
function instance(schema: unknown): unknown {
  const { type, properties = {}, items, enum: values, const: only } = (schema ?? {}) as Json;
  if (only !== undefined) return only;
  if (Array.isArray(values)) return values[0];
  if (type === 'array') return [instance(items)];
  if (type === 'number' || type === 'integer') return 1;
  if (type === 'boolean') return true;
  if (type === 'string') return 'text';
  const entries = Object.entries(properties as Json);
  return Object.fromEntries(entries.map(([key, value]) => [key, instance(value)]));
}
