// Real clients call tools on a real llama-server. Its model knows none: with this template the server believes that it
// does, and the beginning of a call as the last message makes it finish one.
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { AIMessage, HumanMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';
import { KEY, runGateway } from '../running-gateway.ts';

const TEMPLATE = `{% if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}Answer with {"name": <name>, "arguments": <object>} inside <tool_call></tool_call>.<|im_end|>
{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content or '' }}{% if message.tool_calls %}{% for call in message.tool_calls %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

let server: RealLlamaServer;
beforeAll(async () => {
  server = await startLlamaServer({ chatTemplate: TEMPLATE });
});
afterAll(() => server?.stop());

async function gatewayUrl(): Promise<string> {
  const { url } = await runGateway({
    providers: { local: { type: 'llamaserver', baseUrl: server.url } },
    models: {
      pilot: {
        targets: [{ provider: 'local' }],
        defaults: {
          temperature: 0,
          maxTokens: 100,
          extra: {
            parallel_tool_calls: false,
            // It would fill its tokens with white space, which the grammar of a call allows.
            logit_bias: [
              [' ', false],
              ['\n', false],
            ],
          },
        },
      },
    },
  });
  return url;
}

const QUESTION = { role: 'user' as const, content: 'Is it cold?' };
const BEGUN = { role: 'assistant' as const, content: '<tool_call>\n' };
const parameters = {
  type: 'object' as const,
  properties: { city: { type: 'string', enum: ['Oslo', 'Rome'] } },
  required: ['city'],
};
const weather = { type: 'function' as const, function: { name: 'get_weather', parameters } };
const city = expect.stringMatching(/^(Oslo|Rome)$/);

describe('a tool of a llama-server', () => {
  it('is called and answered, by openai-node', async () => {
    const openai = new OpenAI({ apiKey: KEY, baseURL: `${await gatewayUrl()}/v1`, maxRetries: 0 });
    const asked = { model: 'pilot', tools: [weather] };
    const first = await openai.chat.completions
      .stream({ ...asked, messages: [QUESTION, BEGUN], tool_choice: 'required' })
      .finalChatCompletion();
    const [choice] = first.choices;
    expect(choice?.finish_reason).toBe('tool_calls');
    const call = choice?.message.tool_calls?.[0];
    expect(JSON.parse(call?.function.arguments ?? '')).toEqual({ city });
    const result = { role: 'tool' as const, tool_call_id: call?.id ?? '', content: '-3 °C' };
    const messages = [QUESTION, ...(choice ? [choice.message] : []), result];
    const second = await openai.chat.completions.create({ ...asked, messages, tool_choice: 'none' });
    expect(second.choices[0]?.message.content).toMatch(/\w/);
  });

  it('is called and answered, by responses', async () => {
    const openai = new OpenAI({ apiKey: KEY, baseURL: `${await gatewayUrl()}/v1`, maxRetries: 0 });
    const tools = [{ type: 'function' as const, name: 'get_weather', parameters, strict: false }];
    const asked = { model: 'pilot', tools };
    const { output } = await openai.responses
      .stream({ ...asked, input: [QUESTION, BEGUN], tool_choice: 'required' })
      .finalResponse();
    const call = output.find(item => item.type === 'function_call');
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ city });
    const result = {
      type: 'function_call_output' as const,
      call_id: call?.call_id ?? '',
      output: '-3 °C',
    };
    const input = [QUESTION, ...(call ? [call] : []), result];
    const second = await openai.responses.create({ ...asked, input, tool_choice: 'none' });
    expect(second.output_text).toMatch(/\w/);
  });

  it('is called and answered, by the Anthropic SDK', async () => {
    const anthropic = new Anthropic({ apiKey: KEY, baseURL: await gatewayUrl(), maxRetries: 0 });
    const tools = [{ name: 'get_weather', input_schema: parameters }];
    const asked = { model: 'pilot', max_tokens: 100, tools };
    const { content, stop_reason, role } = await anthropic.messages
      .stream({ ...asked, messages: [QUESTION, BEGUN], tool_choice: { type: 'any' } })
      .finalMessage();
    expect(stop_reason).toBe('tool_use');
    const call = content.find(block => block.type === 'tool_use');
    expect(call?.input).toEqual({ city });
    const result = { type: 'tool_result' as const, tool_use_id: call?.id ?? '', content: '-3 °C' };
    const messages = [QUESTION, { role, content }, { role: 'user' as const, content: [result] }];
    const answer = await anthropic.messages.create({ ...asked, messages, tool_choice: { type: 'none' } });
    expect(answer.content[0]).toMatchObject({ type: 'text', text: expect.stringMatching(/\w/) });
  });

  it.each(['chat', 'responses'] as const)('runs, by the AI SDK and %s', async way => {
    const ai = createOpenAI({ apiKey: KEY, baseURL: `${await gatewayUrl()}/v1` });
    const inputs: unknown[] = [];
    const inputSchema = z.object({ city: z.enum(['Oslo', 'Rome']) });
    const get_weather = tool({ inputSchema, execute: async input => inputs.push(input) });
    const { toolResults } = streamText({
      model: ai[way]('pilot'),
      messages: [QUESTION, BEGUN],
      tools: { get_weather },
      toolChoice: 'required',
      stopWhen: stepCountIs(1),
    });
    expect(await toolResults).toMatchObject([{ toolName: 'get_weather', output: 1 }]);
    expect(inputs).toEqual([{ city }]);
  });

  it('is called, by LangChain', async () => {
    const configuration = { baseURL: `${await gatewayUrl()}/v1` };
    const model = new ChatOpenAI({ apiKey: KEY, configuration, model: 'pilot', maxRetries: 0 });
    const bound = model.bindTools([weather], { tool_choice: 'required' });
    const { tool_calls } = await bound.invoke([
      new HumanMessage(QUESTION.content),
      new AIMessage(BEGUN.content),
    ]);
    expect(tool_calls).toMatchObject([{ name: 'get_weather', args: { city } }]);
  });
});
