import { expect, it } from 'vitest';
import { bodyOf, NO_SETTINGS, toolsProblem } from './settings.ts';

const HELLO = [{ role: 'user', content: 'Hi' } as const];

it('leaves to the gateway what no field says', () => {
  expect(bodyOf('m', NO_SETTINGS, HELLO)).toEqual({
    ...{ model: 'm', messages: HELLO, stream: true, stream_options: { include_usage: true } },
  });
});

it('sends what the fields say', () => {
  const tools = '[{"type":"function","function":{"name":"f"}}]';
  const settings = {
    ...NO_SETTINGS,
    system: 'Be brief',
    temperature: '0',
    maxTokens: '9',
    topP: '0.5',
    tools,
  };
  expect(bodyOf('m', { ...settings, effort: 'low' }, HELLO)).toMatchObject({
    messages: [{ role: 'system', content: 'Be brief' }, ...HELLO],
    ...{ temperature: 0, max_tokens: 9, top_p: 0.5, reasoning_effort: 'low' },
    tools: [{ type: 'function', function: { name: 'f' } }],
  });
});

it('says what is wrong with tools', () => {
  expect(['', ' ', '[]', '[{"function":{"name":"f"}}]'].map(toolsProblem)).not.toContainEqual(
    expect.any(String),
  );
  expect(toolsProblem('{}')).toMatch(/^Write a list/);
  expect(toolsProblem('[{"name":"f"}]')).toBe('Tool 1 has no function.name');
  expect(toolsProblem('[')).toMatch(/JSON/);
});
