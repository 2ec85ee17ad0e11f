import type { Offer } from './offer.ts';
import { ownReferences } from './own-references.ts';

type Schema = Record<string, unknown>;

/** JSON schema of an answer: calls of the tools offered, or words. */
export function answerSchema({ tools, several, words }: Offer): Schema {
  const $defs: Schema = {};
  const calls = tools.map(({ name, parameters }) => {
    const { schema, definitions } = ownReferences(parameters, name);
    Object.assign($defs, definitions);
    return closed({ name: { const: name }, arguments: schema });
  });
  const list = { type: 'array', items: oneOf(calls), minItems: 1, ...(several ? {} : { maxItems: 1 }) };
  const answers = [closed({ tool_calls: list })];
  if (words) answers.push(closed({ response: { type: 'string' } }));
  return Object.keys($defs).length > 0 ? { ...oneOf(answers), $defs } : oneOf(answers);
}

function closed(properties: Schema): Schema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

function oneOf(schemas: Schema[]): Schema {
  const [only, ...others] = schemas;
  return only && others.length === 0 ? only : { oneOf: schemas };
}
