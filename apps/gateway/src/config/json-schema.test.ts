import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configJsonSchema } from './json-schema.ts';

describe('the JSON Schema for editors', () => {
  it('stands in gateway.schema.json as it is made', () => {
    const file = new URL('../../gateway.schema.json', import.meta.url);
    const remedy = 'run `airframe-gateway schema > apps/gateway/gateway.schema.json`, and format it';
    expect(JSON.parse(readFileSync(file, 'utf8')), remedy).toEqual(configJsonSchema());
  });

  it('says of every field what it is, and takes a variable where a number is wanted', () => {
    const schema = configJsonSchema();
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'gateway.yaml',
      additionalProperties: false,
      properties: {
        server: {
          properties: {
            port: {
              description: expect.any(String),
              anyOf: [{ type: 'integer' }, { $ref: '#/$defs/variable' }],
            },
          },
        },
        providers: { propertyNames: { type: 'string' } },
      },
    });
  });
});
