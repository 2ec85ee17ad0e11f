import { AirframeError, type Message, type ResponseFormat } from '@x/airframe';
import { type CheckedSchema, checkedSchema, type Schema } from './schema.ts';

/** An answer asked for as an object. */
export class StructuredOutput {
  readonly #schema: CheckedSchema;

  /** @throws AirframeError (invalid_request) for a schema that cannot be used */
  constructor(schema: Schema) {
    this.#schema = checkedSchema(schema, 'schema');
  }

  /** What goes to the provider. */
  get responseFormat(): ResponseFormat {
    return { type: 'json_schema', name: 'answer', schema: this.#schema.json };
  }

  /** The object an answer holds, or why it holds none. */
  read(text: string): { value: unknown } | { problem: string } {
    let json: unknown;
    try {
      json = JSON.parse(unfenced(text));
    } catch (error) {
      return { problem: `it is not JSON (${error instanceof Error ? error.message : String(error)})` };
    }
    return this.#schema.check(json);
  }
}

/** Some models put JSON into a fenced block, whatever they are asked for. */
function unfenced(text: string): string {
  // No regular expression: blanks without end, which models do write, would keep one busy for minutes.
  const trimmed = text.trim();
  const start = trimmed.indexOf('\n');
  const fence = trimmed.slice(0, Math.max(start, 0)).trimEnd();
  const isFenced = (fence === '```' || fence === '```json') && trimmed.endsWith('```');
  return isFenced ? trimmed.slice(start + 1, -3) : text;
}

/** What is said to a model whose answer does not fit. */
export function repairMessages(text: string, problem: string): Message[] {
  return [
    { role: 'assistant', content: text },
    {
      role: 'user',
      content: `That answer does not fit the schema: ${problem}. Answer again, with the corrected JSON alone.`,
    },
  ];
}

export function misfit(problem: string, text: string, isCut: boolean): AirframeError {
  const reason = isCut ? 'the answer was cut at maxTokens' : problem;
  return new AirframeError('parse', `the answer does not fit the schema: ${reason}`, {
    code: 'schema_mismatch',
    raw: text,
    remedy: isCut ? 'raise maxTokens' : 'make the schema simpler, or ask a stronger model',
  });
}
