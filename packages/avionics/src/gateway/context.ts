import type { CallLimiter } from '../limits/limiter.ts';
import type { Logger } from '../logger.ts';
import type { RequestDefaults } from '../providers/adapter-provider.ts';
import type { LLMProvider } from '../providers/base.ts';
import type { BreakerBoard } from '../routing/breaker.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { ResponseCache } from './cache.ts';
import type { ResourceCallback } from './meter.ts';
import type { MidStreamPolicy } from './request.ts';
import type { StreamingChunk } from './response.ts';
import type { StatsBook } from './stats.ts';

/** Where a call may go. */
export interface Destination {
  /** Name it is configured by. */
  name: string;
  /** Type of the provider, for telemetry. */
  type: string;
  /** Model to ask for; undefined: the provider's own. */
  model: string | undefined;
  /** What the request gets where it says nothing: those of the model's alias. */
  defaults?: RequestDefaults | undefined;
  /** What else of the settings decides about its answers. */
  variant?: unknown;
  /** Finds the provider; may throw. */
  provider(): LLMProvider;
}

/** What a gateway gives to each of its calls. */
export interface CallContext {
  /** In the order they are to be tried. Throws when settings are wrong. */
  destinations(): readonly Destination[];
  agentName: string;
  streamed: boolean;
  stats: StatsBook;
  breakers: BreakerBoard;
  telemetry: Telemetry;
  midStream: MidStreamPolicy;
  cache: ResponseCache | undefined;
  limiter: CallLimiter | undefined;
  logger: Logger;
  resourceCallback: ResourceCallback | undefined;
  /** Called with each chunk before the consumer gets it. */
  onChunk: ((chunk: StreamingChunk) => void) | undefined;
}
