import { expect, it } from 'vitest';
import { redact, secretsOf } from './redact.ts';

it('removes the keys we send, wherever the backend echoes them', () => {
  const secrets = secretsOf({
    apiKey: 'my own key',
    headers: { 'X-Api-Key': 'k2', Authorization: 'Basic abc' },
  });
  expect(redact('got "my own key", k2 and abc', secrets)).toBe('got "***", *** and ***');
});

it('leaves a single letter alone, which is no secret and stands in every word', () => {
  expect(redact('a message', secretsOf({ apiKey: 'a' }))).toBe('a message');
});

it('removes what looks like a key although we did not send it', () => {
  expect(redact('Incorrect key sk-proj-abcdefghijklmnop1234; Bearer eyJhbGciOi.x', [])).toBe(
    'Incorrect key ***; Bearer ***',
  );
});
