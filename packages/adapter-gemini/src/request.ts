import {
  AirframeError,
  type EmbedRequest,
  type HttpCall,
  type InferenceRequest,
  type ReasoningOptions,
  type ResponseFormat,
  type ToolChoice,
} from '@x/airframe';
import { contentsOf, systemInstructionOf } from './contents.ts';
import type { GeminiExtra } from './wire.ts';

/** A request whose `extra` are parameters of Gemini. */
export type GeminiRequest = InferenceRequest<GeminiExtra>;

/** What a call takes from the endpoint. */
export interface CallSettings {
  /** Used when the request names none. */
  model: string | undefined;
  /** The API's version, the first segment of each path. */
  version: string;
  headers: Record<string, string>;
}

/** @throws AirframeError (invalid_request) for what the API has no form for */
export function generateCall(request: GeminiRequest, settings: CallSettings): HttpCall {
  const model = modelOf(request, settings);
  const method = request.stream === false ? 'generateContent' : 'streamGenerateContent?alt=sse';
  return post(model, method, bodyOf(request, model), settings);
}

/** The call that counts the prompt's tokens: those of system messages and tools too, when it gets the whole request. */
export function countTokensCall(request: GeminiRequest, settings: CallSettings): HttpCall {
  const model = modelOf(request, settings);
  const generateContentRequest = { model, ...bodyOf(request, model) };
  return post(model, 'countTokens', { generateContentRequest }, settings);
}

/** The call that embeds all texts at once; each of its requests has to name the model again. */
export function embedCall(request: EmbedRequest, settings: CallSettings): HttpCall {
  const model = modelOf(request, settings);
  const requests = [request.input].flat().map(text =>
    defined({
      model,
      content: { parts: [{ text }] },
      outputDimensionality: request.dimensions,
      ...request.extra,
    }),
  );
  return post(model, 'batchEmbedContents', { requests }, settings);
}

export function listModelsCall(
  { version, headers }: CallSettings,
  pageSize: number,
  pageToken?: string,
): HttpCall {
  const page = pageToken === undefined ? '' : `&pageToken=${encodeURIComponent(pageToken)}`;
  return { method: 'GET', path: `/${version}/models?pageSize=${pageSize}${page}`, headers };
}

function post(model: string, method: string, body: object, { version, headers }: CallSettings): HttpCall {
  const resource = model.split('/').map(encodeURIComponent).join('/');
  return { method: 'POST', path: `/${version}/${resource}:${method}`, headers, body };
}

/** The resource name of the model: `models/…`, unless it says another collection (`tunedModels/…`). */
function modelOf(request: { model?: string }, settings: CallSettings): string {
  const model = request.model ?? settings.model;
  if (!model) {
    const remedy = 'set model in the request or at the endpoint';
    throw new AirframeError('invalid_request', 'no model is named', { remedy });
  }
  return model.includes('/') ? model : `models/${model}`;
}

/** `parallelToolCalls` and `promptCache` have no counterpart and are not sent. */
function bodyOf(request: GeminiRequest, model: string): Record<string, unknown> {
  if (request.messages === undefined) {
    throw new AirframeError('invalid_request', 'the Gemini API has no raw prompt', {
      code: 'unsupported',
      remedy: 'send messages',
    });
  }
  const { generationConfig: extraConfig, tools: extraTools = [], ...otherExtra } = request.extra ?? {};
  const functionDeclarations = request.tools?.map(({ name, description, parameters }) =>
    defined({ name, description, parametersJsonSchema: parameters }),
  );
  const tools = [...(functionDeclarations?.length ? [{ functionDeclarations }] : []), ...extraTools];
  const generationConfig = defined({
    temperature: request.temperature,
    topP: request.topP,
    maxOutputTokens: request.maxTokens,
    stopSequences: request.stop,
    seed: request.seed,
    ...formatOf(request.responseFormat),
    thinkingConfig: thinkingOf(request.reasoning, model),
    ...extraConfig,
  });
  return defined({
    systemInstruction: systemInstructionOf(request.messages),
    contents: contentsOf(request.messages, isBeforeGemini3(model) ? undefined : NO_SIGNATURE),
    ...(tools.length > 0 ? { tools, toolConfig: toolConfigOf(request.toolChoice) } : {}),
    generationConfig: Object.keys(generationConfig).length > 0 ? generationConfig : undefined,
    serviceTier: request.serviceTier,
    ...otherExtra,
  });
}

/**
 * For calls that another model made: without a signature Gemini 3 refuses them, and with this one it does not look.
 * Source: ai.google.dev "Thought signatures", FAQ, 2026.
 */
const NO_SIGNATURE = 'skip_thought_signature_validator';

/** Aliases such as `gemini-flash-latest` name a newer one; other families (Gemma) know no signatures either. */
function isBeforeGemini3(model: string): boolean {
  return !/\/gemini-(?![12]\b)/.test(model);
}

function toolConfigOf(choice: ToolChoice | undefined): object | undefined {
  if (choice === undefined) return undefined;
  if (typeof choice === 'object') {
    return { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: [choice.name] } };
  }
  return { functionCallingConfig: { mode: choice === 'required' ? 'ANY' : choice.toUpperCase() } };
}

function formatOf(format: ResponseFormat | undefined): object {
  if (format === undefined || format.type === 'text') return {};
  const responseJsonSchema = format.type === 'json_schema' ? format.schema : undefined;
  return { responseMimeType: 'application/json', responseJsonSchema };
}

type Effort = NonNullable<ReasoningOptions['effort']>;

/**
 * The levels of Gemini 3, and the budgets that Google takes for the same efforts with older models. `HIGH` is the most,
 * and Gemini 3 cannot do without thinking: `MINIMAL` is the least.
 * Source: ai.google.dev "OpenAI compatibility" and "Gemini thinking", 2026.
 */
const THINKING: Record<Effort, { thinkingLevel: string; thinkingBudget: number }> = {
  none: { thinkingLevel: 'MINIMAL', thinkingBudget: 0 },
  minimal: { thinkingLevel: 'MINIMAL', thinkingBudget: 1024 },
  low: { thinkingLevel: 'LOW', thinkingBudget: 1024 },
  medium: { thinkingLevel: 'MEDIUM', thinkingBudget: 8192 },
  high: { thinkingLevel: 'HIGH', thinkingBudget: 24_576 },
  xhigh: { thinkingLevel: 'HIGH', thinkingBudget: 24_576 },
  max: { thinkingLevel: 'HIGH', thinkingBudget: 24_576 },
};

/** The API refuses a level beside a budget: `maxTokens` comes first. Thoughts are shown only to those who ask. */
function thinkingOf(reasoning: ReasoningOptions | undefined, model: string): object | undefined {
  if (reasoning === undefined) return undefined;
  const { effort, maxTokens } = reasoning;
  const includeThoughts = effort !== 'none';
  if (maxTokens !== undefined && includeThoughts) return { thinkingBudget: maxTokens, includeThoughts };
  if (effort === undefined) return { includeThoughts };
  const { thinkingLevel, thinkingBudget } = THINKING[effort];
  return isBeforeGemini3(model) ? { thinkingBudget, includeThoughts } : { thinkingLevel, includeThoughts };
}

/** Without the fields left unset. */
function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
