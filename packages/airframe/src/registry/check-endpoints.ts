import { type EndpointSpec, endpointSpecSchema } from '../endpoint.ts';
import { describeIssues } from '../validate.ts';

/** The endpoints among these values, and every problem with the others: a bad field, a name used twice. */
export function checkEndpoints(values: readonly unknown[]): {
  endpoints: EndpointSpec[];
  problems: string[];
} {
  const byName = new Map<string, EndpointSpec>();
  const problems: string[] = [];
  for (const [index, value] of values.entries()) {
    const checked = endpointSpecSchema.safeParse(value);
    const name = JSON.stringify((value as Partial<EndpointSpec> | null | undefined)?.name);
    if (!checked.success) {
      const what = name ?? `number ${index + 1} (it has no name)`;
      problems.push(`invalid endpoint ${what}: ${describeIssues(checked.error.issues, value)}`);
    } else if (byName.has(checked.data.name)) {
      problems.push(`two endpoints are named ${name}; names must differ`);
    } else {
      byName.set(checked.data.name, checked.data);
    }
  }
  return { endpoints: [...byName.values()], problems };
}
