import type { ToolCall, ToolSpec } from '@x/airframe';
import { type CheckedSchema, checkedSchema, isZod, type Schema, type SchemaOutput } from './schema.ts';

/** A function the model may call, its arguments described by a zod schema or a JSON Schema. */
export interface GatewayTool {
  /** Up to 64 characters of `A-Za-z0-9_-`. */
  name: string;
  description?: string;
  parameters: Schema;
}

/** A call of one of these tools; `input` is checked, or `parseError` says what is wrong with it. */
export type ToolCallOf<Tools extends readonly GatewayTool[]> = {
  [Index in keyof Tools]: Omit<ToolCall, 'name' | 'input'> & {
    name: Tools[Index]['name'];
    input?: SchemaOutput<Tools[Index]['parameters']>;
  };
}[number];

/** The tools of one call. */
export class ToolSet {
  readonly specs: ToolSpec[];
  readonly #schemas = new Map<string, CheckedSchema>();

  /** @throws AirframeError (invalid_request) for parameters that cannot be used */
  constructor(tools: readonly GatewayTool[]) {
    this.specs = tools.map(({ name, description, parameters }) => {
      const schema = schemaOf(name, parameters);
      this.#schemas.set(name, schema);
      return { name, ...(description === undefined ? {} : { description }), parameters: schema.json };
    });
  }

  /** The call with its input as the tool's schema has it. */
  checked(call: ToolCall): ToolCall {
    const schema = this.#schemas.get(call.name);
    if (call.parseError !== undefined) return call;
    if (!schema) return withProblem(call, `there is no tool of that name; there are ${this.#names()}`);
    const checked = schema.check(call.input);
    return 'value' in checked ? { ...call, input: checked.value } : withProblem(call, checked.problem);
  }

  #names(): string {
    return [...this.#schemas.keys()].join(', ');
  }
}

/** A JSON Schema beyond what can be checked here is the backend's to know: its calls go unchecked. */
function schemaOf(name: string, parameters: Schema): CheckedSchema {
  try {
    return checkedSchema(parameters, `the parameters of tool ${JSON.stringify(name)}`);
  } catch (error) {
    if (isZod(parameters)) throw error;
    return { json: parameters, check: value => ({ value }) };
  }
}

function withProblem({ input: _, ...call }: ToolCall, parseError: string): ToolCall {
  return { ...call, parseError };
}
