import { z } from 'zod';
import { configSchema } from './schema.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

const VARIABLE = '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}';

/**
 * The JSON Schema (draft 2020-12) of gateway.yaml, for editors. It takes `${NAME}` wherever the gateway does; what one
 * field asks of another it does not know.
 */
export function configJsonSchema(): JsonSchema {
  const { $schema = '', ...schema } = z.toJSONSchema(configSchema, {
    target: 'draft-2020-12',
    override: ({ jsonSchema, path }) => {
      // Variables are filled into values alone.
      if (path.at(-1) !== 'propertyNames') allowVariable(jsonSchema);
    },
  });
  const $defs = {
    variable: { type: 'string', pattern: `^${VARIABLE}$`, description: 'A variable of the environment.' },
    textWithVariable: { type: 'string', pattern: VARIABLE, description: 'A text with variables in it.' },
  };
  return { $schema, title: 'gateway.yaml', ...schema, $defs } as JsonSchema;
}

/** Only where a plain text would not do; the words that tell one kind of provider from another stay as they are. */
function allowVariable(schema: JsonSchema): void {
  const { description, type, ...rest } = schema;
  if (rest.const !== undefined || !/^(string|number|integer|boolean)$/.test(String(type))) return;
  if (type === 'string' && !(rest.pattern ?? rest.format ?? rest.enum)) return;
  for (const key of Object.keys(schema)) delete schema[key];
  const $ref = `#/$defs/${type === 'string' ? 'textWithVariable' : 'variable'}`;
  Object.assign(schema, { ...(description && { description }), anyOf: [{ type, ...rest }, { $ref }] });
}
