/** What the scripted models say, piece by piece. */
export type Piece =
  | { reasoning: string }
  | { text: string }
  | { call: { id?: string; name?: string; arguments: string } }
  | { error: { message: string; type: string; code: string } };

const ANSWER = `Two figures tell more than a mean:

| figure | what it says |
|---|---|
| \`p50\` | half of all calls were faster |
| \`p95\` | one call in twenty was slower |

- A **wide gap** between them means that a few callers wait much longer than the rest.
- Watch \`p95\` when you change [limits](https://example.com/limits) or slots.

\`\`\`ts
const sorted = times.toSorted((a, b) => a - b);
const p95 = sorted[Math.ceil(0.95 * sorted.length) - 1];
\`\`\`

> A mean hides both. ![tracker](https://example.com/pixel.png) <script>alert(1)</script>
`;

const THOUGHTS =
  'The question is about latency. I will name both percentiles, then show **how** one is computed.';

const words = (text: string): string[] => text.match(/\s*\S+/g) ?? [];

/** @param tools the request brings some */
export function answerOf(model: string, tools: boolean): Piece[] {
  if (tools) {
    const json = '{"city":"Lisbon","days":3}';
    const parts = json.match(/.{1,6}/g) ?? [];
    return [
      { call: { id: 'call_1', name: 'weather', arguments: '' } },
      ...parts.map(part => ({ call: { arguments: part } })),
    ];
  }
  const text = words(ANSWER).map(word => ({ text: word }));
  if (model === 'breaks') {
    const error = {
      message: 'provider openai closed the connection',
      type: 'connection',
      code: 'connection',
    };
    return [...text.slice(0, 12), { error }];
  }
  const thoughts = model === 'smart' ? words(THOUGHTS).map(word => ({ reasoning: word })) : [];
  return [...thoughts, ...text];
}
