import type { InferenceRequest } from '@x/airframe';
import { type CompletionRequest, inferenceRequestOf } from './request.ts';
import { StructuredOutput } from './structured.ts';
import { ToolSet } from './tools.ts';

/** What a call asks for, checked. */
export interface Prepared {
  /** What goes to providers, but for the model. */
  request: InferenceRequest;
  structured: StructuredOutput | undefined;
  tools: ToolSet | undefined;
}

/** @throws AirframeError (invalid_request) for what cannot be asked */
export function prepared(asked: CompletionRequest): Prepared {
  const { schema, responseFormat } = asked;
  const structured = schema && new StructuredOutput(schema);
  const tools = asked.tools && new ToolSet(asked.tools);
  const request = inferenceRequestOf(asked);
  const format = structured?.responseFormat ?? responseFormat;
  if (tools) request.tools = tools.specs;
  if (format) request.responseFormat = format;
  return { request, structured, tools };
}
