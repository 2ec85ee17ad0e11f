import { AirframeError } from '@x/airframe';

type Schema = Record<string, unknown>;

/** A schema for a place inside another one, which needs the definitions as its own `$defs`. */
interface Movable {
  schema: Schema;
  definitions: Schema;
}

/**
 * A tool's schema points into itself; inside a larger one its pointers would miss.
 * @throws AirframeError invalid_request: a `$ref` points nowhere, or out of the schema
 */
export function ownReferences(schema: Schema, tool: string): Movable {
  const names = new Map<string, string>();
  const definitions: Schema = {};

  const named = (pointer: string): string => {
    let name = names.get(pointer);
    if (name === undefined) {
      name = `${tool}.${names.size}`;
      names.set(pointer, name);
      definitions[name] = moved(target(schema, pointer, tool));
    }
    return name;
  };
  const moved = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(moved);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) =>
        key === '$ref' && typeof inner === 'string' ? [key, `#/$defs/${named(inner)}`] : [key, moved(inner)],
      ),
    );
  };
  const { $defs: _, definitions: __, ...rest } = schema;
  return { schema: moved(rest) as Schema, definitions };
}

function target(schema: Schema, pointer: string, tool: string): unknown {
  const [root, ...keys] = pointer.split('/');
  let found: unknown = root === '#' ? schema : undefined;
  for (const key of keys) {
    found = (found as Schema | undefined)?.[
      decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~')
    ];
  }
  if (typeof found === 'object' && found !== null) return found;
  throw new AirframeError(
    'invalid_request',
    `the schema of tool ${tool} has no ${pointer}, where a $ref points`,
  );
}
