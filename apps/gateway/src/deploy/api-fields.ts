import * as models from '@kubernetes/client-node';

interface Attribute {
  baseName: string;
  type: string;
}

/**
 * The paths of fields that the Kubernetes API does not know, as far as its client library has a model of them: a
 * misspelt field is one that a cluster would pass over.
 * @param manifest of a core kind
 */
export function unknownFields(manifest: { apiVersion: string; kind: string }): string[] {
  const version = manifest.apiVersion.split('/').at(-1)?.toUpperCase();
  const type = `${version}${manifest.kind}`;
  return attributesOf(type) ? check(manifest, type, manifest.kind) : [`${manifest.kind} (no such kind)`];
}

function check(value: unknown, type: string, path: string): string[] {
  const [, itemType] = /^Array<(.*)>$/.exec(type) ?? [];
  if (itemType) {
    if (!Array.isArray(value)) return [`${path} (no list)`];
    return value.flatMap((item, index) => check(item, itemType, `${path}.${index}`));
  }
  const attributes = attributesOf(type);
  if (!attributes || typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) => {
    const known = attributes.find(({ baseName }) => baseName === key);
    return known ? check(field, known.type, `${path}.${key}`) : [`${path}.${key}`];
  });
}

function attributesOf(type: string): Attribute[] | undefined {
  const model = (models as unknown as Record<string, { getAttributeTypeMap?(): Attribute[] } | undefined>)[
    type
  ];
  return model?.getAttributeTypeMap?.();
}
