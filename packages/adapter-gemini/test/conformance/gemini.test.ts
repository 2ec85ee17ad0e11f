import { withRetry } from '@x/airframe';
import { CONFORMANCE_KEY, type ConformanceSubject, type ScriptedReply } from '@x/airframe/conformance';
import { testConformance } from '@x/airframe/conformance/vitest';
import { geminiAdapter } from '../../src/index.ts';

const FINISH_REASONS = { stop: 'STOP', length: 'MAX_TOKENS', tool_calls: 'STOP' };

const chunk = (parts: object[], more: object = {}) => ({
  data: { candidates: [{ index: 0, content: { role: 'model', parts }, ...more }] },
});

/** Calls come whole here, never in pieces. */
const callsOf = ({ toolCalls }: ScriptedReply) =>
  toolCalls.map(({ id, name, arguments: pieces }) => ({
    functionCall: { id, name, args: JSON.parse(pieces.join('')) as unknown },
  }));

const usageOf = ({ promptTokens, completionTokens }: ScriptedReply) => ({
  usageMetadata: { promptTokenCount: promptTokens, candidatesTokenCount: completionTokens },
});

const finishOf = ({ finishReason }: ScriptedReply) => ({ finishReason: FINISH_REASONS[finishReason] });

const subject: ConformanceSubject = {
  name: 'gemini',
  adapter: () => geminiAdapter(),
  endpoint: baseUrl => ({
    name: 'scripted',
    backendKind: 'gemini',
    baseUrl,
    model: 'gemini-3-pro',
    apiKey: CONFORMANCE_KEY,
  }),
  dialect: {
    body: reply => [
      ...reply.text.map(text => chunk([{ text }])),
      ...callsOf(reply).map(call => chunk([call])),
    ],
    ending: reply => [{ data: { candidates: [{ index: 0, ...finishOf(reply) }], ...usageOf(reply) } }],
    json: reply => ({
      ...chunk([{ text: reply.text.join('') }, ...callsOf(reply)], finishOf(reply)).data,
      ...usageOf(reply),
    }),
    error: message => [{ data: { error: { code: 503, message, status: 'UNAVAILABLE' } } }],
  },
};

testConformance(subject);
testConformance({
  ...subject,
  name: 'withRetry(gemini)',
  adapter: () => withRetry(geminiAdapter(), { maxRetries: 1, baseDelayMs: 5 }),
});
