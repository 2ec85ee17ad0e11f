import { AirframeError } from '../../errors.ts';
import type { ErrorFacts } from '../../transport/failure.ts';
import { errorIn, readError as readOpenAIError } from '../../wire-openai/errors.ts';
import { type Credential, DEFAULT_SCOPE } from './auth.ts';
import type { Resource } from './families.ts';
import type { WireAzureError } from './wire.ts';

/**
 * What an error body says. OpenAI's shapes, plus Azure's own: a blocked prompt may carry its code in `innererror`
 * only, and the model inference route names the code in a header (azure-ai-docs troubleshoot-errors.md, 2026-09-20;
 * ModelInference routes.tsp).
 */
export function readError(status: number, body: unknown, headers: Record<string, string>): ErrorFacts {
  const facts = readOpenAIError(status, body);
  const code = facts.code ?? headers['x-ms-error-code'];
  const error = errorIn(body) as WireAzureError | string | undefined;
  const inner = typeof error === 'object' ? error.innererror?.code : undefined;
  if (inner !== 'ResponsibleAIPolicyViolation') return { ...facts, code };
  return { ...facts, code: 'content_filter', category: 'content_filter', retryable: false };
}

/** The error with what can be done about it, where Azure's own words do not tell. */
export function withRemedy(
  error: unknown,
  resource: Resource,
  credential: Credential,
  deployment: string | undefined,
): unknown {
  if (!(error instanceof AirframeError) || error.remedy !== undefined) return error;
  const remedy = remedyFor(error, resource, credential, deployment);
  return remedy === undefined ? error : error.with({ remedy });
}

/**
 * Older models refuse it whatever the api-version is (Azure/azure-sdk-for-net #45719, 2024-08-28; griptape #1640,
 * 2025-02-04). Dropping it unasked would let through the parallel calls that the caller did not want.
 */
const UNKNOWN_PARALLEL = /(?:Unrecognized request argument|Unknown parameter).*parallel_tool_calls/;

function remedyFor(
  { status, problem }: AirframeError,
  { apiVersion, options }: Resource,
  credential: Credential,
  deployment: string | undefined,
): string | undefined {
  switch (status) {
    case 400:
      return UNKNOWN_PARALLEL.test(problem) ? 'set options.parallelToolCalls to false' : undefined;
    case 401:
      if (credential === 'key') return 'check that apiKey is a key of this very resource';
      if (credential === 'header') return 'check the credential in the endpoint’s headers';
      return `check the tenant and the token’s audience: it was asked for scope ${options.scope ?? DEFAULT_SCOPE} (options.scope)`;
    case 403:
      return 'check the network rules of the resource, and the role: Cognitive Services OpenAI User or a Foundry user role';
    case 404: {
      const named =
        deployment === undefined
          ? undefined
          : `that deployment ${deployment} exists (case matters, and a new one takes minutes)`;
      const version =
        apiVersion === undefined
          ? 'that baseUrl is the resource’s endpoint (no api-version was sent)'
          : `that the resource knows api-version ${apiVersion} (options.apiVersion)`;
      return `check ${[named, version].filter(Boolean).join(' and ')}`;
    }
    default:
      return undefined;
  }
}
