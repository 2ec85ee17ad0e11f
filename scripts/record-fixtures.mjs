// Records what a real llama-server streams, byte for byte, into the adapters' __fixtures__ folders.
// `node scripts/record-fixtures.mjs [part of a name…]`, then the tests with `-u`; RECORDINGS tells what each is of.
// All other fixtures are constructed, and say so in their first line.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureLlamaServer } from '../packages/llamacpp-native/native/llama-cpp.mjs';
import { freePort } from './free-port.mjs';

const MODEL = fileURLToPath(new URL('../apps/demo-model/pilot.gguf', import.meta.url));
const ADAPTERS = new URL('../packages/airframe/src/adapters/', import.meta.url);

const turns = `{%- for message in messages %}<|im_start|>{{ message.role }}
{% if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{% endif %}{{ message.content }}{% if message.tool_calls %}{% for call in message.tool_calls %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}{% endif %}<|im_end|>
{% endfor %}{%- if add_generation_prompt %}<|im_start|>assistant
`;
/** The demo model knows neither thinking nor tools: with these templates the server believes that it does. */
const TEMPLATES = {
  thinking: `${turns}<think>\n{% endif %}`,
  tools: `{%- if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}Answer with {"name": <name>, "arguments": <object>} inside <tool_call></tool_call>.<|im_end|>
{% endif %}${turns}{% endif %}`,
};

const question = { role: 'user', content: 'What is 2+2?' };
const greedy = { stream: true, temperature: 0 };
const chat = { messages: [question], ...greedy, stream_options: { include_usage: true } };
const multibyte = 'root ::= "🛩 你好"';
const thought = 'root ::= "2²!" "</think>" "4"';
const parameters = {
  type: 'object',
  properties: { unit: { enum: ['°C', 'ß'] } },
  required: ['unit'],
};
/** It would fill the rest of its tokens with white space, which the grammar of a call allows. */
const dense = [
  [' ', false],
  ['\n', false],
];
/** The server reads the start of the answer, given as the last message, as part of it. */
const begun = text => [question, { role: 'assistant', content: `<tool_call>\n${text}` }];
const callBegun = '{"name": "wx", "arguments": {"unit":';
const chatTools = {
  ...chat,
  tools: [{ type: 'function', function: { name: 'wx', description: 'Weather', parameters } }],
  tool_choice: 'required',
  logit_bias: dense,
};
const toolCall = { ...chatTools, messages: begun(callBegun), parallel_tool_calls: false };
const parallelCut = { ...chatTools, messages: begun(callBegun), parallel_tool_calls: true, max_tokens: 32 };
const broken = { ...chatTools, messages: begun('{"name": "wx", oops'), tool_choice: 'auto', max_tokens: 5 };
/** Leaves out generation_settings, which are 2 kB. */
const fields = [
  'index',
  'content',
  'stop',
  'stop_type',
  'tokens_predicted',
  'tokens_evaluated',
  'tokens_cached',
  'timings',
];
const two = { ...chat, n: 2, temperature: 1.5, seed: 4, max_tokens: 2 };
const anthropicTools = { tools: [{ name: 'wx', input_schema: parameters }], tool_choice: { type: 'any' } };

const CHAT = '/v1/chat/completions';
/** [file below adapters/, route, body, template] */
const RECORDINGS = [
  [
    'llama-server/completion-limit',
    '/completion',
    { prompt: 'What is 2+2?', ...greedy, n_predict: 3, timings_per_token: true },
  ],
  [
    'llama-server/completion-multibyte',
    '/completion',
    { prompt: 'x', ...greedy, grammar: multibyte, return_progress: true, response_fields: fields },
  ],
  ['llama-server/completion-two', '/completion', { prompt: 'What is', ...greedy, n_cmpl: 2, n_predict: 2 }],
  ['llama-server/chat-asked', CHAT, { ...chat, timings_per_token: true, max_tokens: 2 }],
  ['llama-server/chat-progress', CHAT, { ...chat, return_progress: true, max_tokens: 2 }],
  ['llama-server/chat-multibyte', CHAT, { ...chat, grammar: multibyte }],
  ['llama-server/chat-reasoning', CHAT, { ...chat, grammar: thought }, 'thinking'],
  ['llama-server/chat-tool-call', CHAT, toolCall, 'tools'],
  ['llama-server/chat-parallel-cut', CHAT, parallelCut, 'tools'],
  ['llama-server/chat-two', CHAT, { ...two, timings_per_token: true }],
  ['llama-server/chat-error', CHAT, broken, 'tools'],
  ['llama-server/text-limit', '/v1/completions', { prompt: 'What is', ...greedy, max_tokens: 3 }],
  ['openai-chat/llama-server-chat', CHAT, { ...chat, max_tokens: 4 }],
  ['openai-chat/llama-server-reasoning', CHAT, { ...chat, grammar: thought }, 'thinking'],
  ['openai-chat/llama-server-tool-call', CHAT, toolCall, 'tools'],
  ['openai-chat/llama-server-two', CHAT, two],
  ['openai-chat/llama-server-error', CHAT, broken, 'tools'],
  [
    'openai-chat/llama-server-completions',
    '/v1/completions',
    { prompt: 'What is', ...greedy, max_tokens: 3 },
  ],
  [
    'anthropic-messages/llama-server-thinking',
    '/v1/messages',
    { messages: [question], ...greedy, max_tokens: 20 },
    'thinking',
  ],
  [
    'anthropic-messages/llama-server-tool-use',
    '/v1/messages',
    { messages: begun(callBegun), ...greedy, ...anthropicTools, max_tokens: 30 },
    'tools',
  ],
  [
    'anthropic-messages/llama-server-error',
    '/v1/messages',
    {
      messages: begun('{"name": "wx", oops'),
      ...greedy,
      ...anthropicTools,
      tool_choice: { type: 'auto' },
      max_tokens: 5,
    },
    'tools',
  ],
  [
    'openai-responses/llama-server-text',
    '/v1/responses',
    { input: question.content, ...greedy, max_output_tokens: 3 },
  ],
  [
    'openai-responses/llama-server-reasoning',
    '/v1/responses',
    { input: question.content, ...greedy, grammar: thought },
    'thinking',
  ],
];

const wanted = process.argv.slice(2);
const chosen = RECORDINGS.filter(([file]) => wanted.length === 0 || wanted.some(part => file.includes(part)));
for (const template of [undefined, ...Object.keys(TEMPLATES)]) {
  const ofTemplate = chosen.filter(([, , , name]) => name === template);
  if (ofTemplate.length > 0) await withServer(template, url => recordAll(url, ofTemplate));
}

async function recordAll(url, recordings) {
  for (const [file, path, body] of recordings) {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const bytes = Buffer.from(await response.arrayBuffer());
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith('text/event-stream'))
      throw new Error(`${file}: ${response.status} ${type} ${bytes}`);
    const [adapter, name] = file.split('/');
    await writeFile(new URL(`${adapter}/__fixtures__/${name}.sse`, ADAPTERS), bytes);
    console.log(`${file}.sse: ${bytes.length} bytes`);
  }
}

async function withServer(template, work) {
  const folder = await mkdtemp(join(tmpdir(), 'record-'));
  const port = await freePort();
  const args = ['--model', MODEL, '--alias', 'pilot', '--host', '127.0.0.1', '--port', String(port)];
  args.push('--ctx-size', '1024', '--parallel', template ? '1' : '2', '--threads', '1');
  if (template) {
    await writeFile(join(folder, 'template'), TEMPLATES[template]);
    args.push('--chat-template-file', join(folder, 'template'), '--reasoning-format', 'deepseek');
  }
  const child = spawn(await ensureLlamaServer(), args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  try {
    while ((await fetch(`${url}/health`).catch(() => undefined))?.status !== 200) {
      if (child.exitCode !== null) throw new Error(`llama-server exited with ${child.exitCode}`);
      await sleep(50);
    }
    await work(url);
  } finally {
    if (child.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
    await rm(folder, { recursive: true });
  }
}
