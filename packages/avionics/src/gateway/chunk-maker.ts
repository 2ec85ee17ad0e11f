import type { Source } from './answering.ts';
import type { CallClock } from './clock.ts';
import type { CallContext } from './context.ts';
import type { ReplySoFar } from './reply-so-far.ts';
import { finalChunkOf, type LLMResponse, type Output, type Piece, type StreamingChunk } from './response.ts';

/** Makes the chunks that the consumer of a call gets, and shows each to the gateway's callback. */
export class ChunkMaker {
  readonly #requestId: string;
  readonly #context: CallContext;
  readonly #clock: CallClock;
  readonly #reply: ReplySoFar;
  /** Milliseconds to the first chunk. */
  firstMs: number | undefined;

  constructor(requestId: string, context: CallContext, clock: CallClock, reply: ReplySoFar) {
    this.#requestId = requestId;
    this.#context = context;
    this.#clock = clock;
    this.#reply = reply;
  }

  output(output: Output, { provider, model }: Source): StreamingChunk {
    const text = output.type === 'token' ? output.text : '';
    const chunk = this.#chunk(text, provider, model, this.#reply.counted);
    if (output.type !== 'token') chunk.event = output;
    return this.#announced(chunk);
  }

  piece({ text, event, provider, model, tokens, seam }: Piece): StreamingChunk {
    const chunk = this.#chunk(text, provider, model, tokens);
    if (event) chunk.event = event;
    if (seam) chunk.seam = seam;
    return this.#announced(chunk);
  }

  final(response: LLMResponse): StreamingChunk {
    return this.#announced(finalChunkOf(response));
  }

  /** Made for every token: one literal, nothing spread. */
  #chunk(text: string, provider: string, model: string, cumulativeTokens: number): StreamingChunk {
    this.firstMs ??= this.#clock.elapsedMs;
    return {
      text,
      isFinal: false,
      requestId: this.#requestId,
      agentName: this.#context.agentName,
      provider,
      model,
      cumulativeTokens,
      timestamp: nowish(),
    };
  }

  #announced(chunk: StreamingChunk): StreamingChunk {
    const { onChunk, logger } = this.#context;
    try {
      onChunk?.(chunk);
    } catch (error) {
      logger.error('the streaming callback failed', { requestId: this.#requestId, error: String(error) });
    }
    return chunk;
  }
}

/** The chunks of one millisecond have one date. */
let lastDate = new Date(0);

function nowish(): Date {
  const now = Date.now();
  if (lastDate.getTime() !== now) lastDate = new Date(now);
  return lastDate;
}
