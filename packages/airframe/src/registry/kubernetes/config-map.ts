import { AirframeError } from '../../errors.ts';
import { secretsOf } from '../../transport/redact.ts';
import { checkEndpoints } from '../check-endpoints.ts';
import type { Source } from './source.ts';
import type { ConfigMap } from './wire.ts';

/** A ConfigMap whose values are JSON: an endpoint each, or a list of them. */
export function configMapSource(namespace: string, name: string): Source<ConfigMap> {
  return {
    kind: 'ConfigMap',
    // A role that is limited to this one object by resourceNames allows to list and watch it with this selector only.
    resource: {
      group: '',
      plural: 'configmaps',
      namespace,
      selector: { fieldSelector: `metadata.name=${name}` },
    },
    missing: new AirframeError('not_found', `there is no ConfigMap ${namespace}/${name}`, {
      remedy: 'create it, or name the one that holds the endpoints',
    }),
    read,
  };
}

function read({ data }: ConfigMap): ReturnType<Source<ConfigMap>['read']> {
  const values: unknown[] = [];
  const notJson: string[] = [];
  for (const [key, text] of Object.entries(data ?? {})) {
    try {
      values.push(JSON.parse(text));
    } catch {
      // The parser's own message quotes the text, which may hold anything.
      notJson.push(`the value of ${JSON.stringify(key)} is no JSON`);
    }
  }
  const { endpoints, problems } = checkEndpoints(values.flat());
  const secrets = endpoints
    .filter(endpoint => secretsOf(endpoint).length > 0)
    .map(
      ({ name }) => `endpoint ${JSON.stringify(name)} holds a key, which anyone may read here; use apiKeyFor`,
    );
  return { endpoints, problems: [...notJson, ...problems, ...secrets] };
}
