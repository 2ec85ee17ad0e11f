import type { Message } from '@x/airframe';
import type { LLMGateway, LLMResponse } from '@x/avionics';
import type { Arguments } from './args.ts';
import { spin } from './screen.ts';

export interface Question {
  messages: Message[];
  args: Pick<Arguments, 'maxTokens' | 'temperature' | 'system'>;
  signal: AbortSignal;
  /** What the spinner says until the first words come. */
  waitingFor(): string;
  /** Gets the words as they come. */
  write(text: string): void;
}

/**
 * Asks the gateway and streams the answer.
 * @throws AirframeError when no answer came to a good end; what came before it has been written
 */
export async function ask(gateway: LLMGateway, question: Question): Promise<LLMResponse> {
  const { messages, args, signal } = question;
  const stopSpinner = spin(question.waitingFor);
  try {
    const stream = gateway.completeStream({
      messages,
      signal,
      agentName: 'terminal',
      ...(args.system === undefined ? {} : { system: args.system }),
      ...(args.maxTokens === undefined ? {} : { maxTokens: args.maxTokens }),
      ...(args.temperature === undefined ? {} : { temperature: args.temperature }),
    });
    for await (const chunk of stream) {
      if (chunk.text) {
        stopSpinner();
        question.write(chunk.text);
      }
      if (chunk.response) return chunk.response;
    }
    throw new Error('the stream ended without a final chunk');
  } finally {
    stopSpinner();
  }
}
