import { expect, it } from 'vitest';
import { checkNodeProfiles } from './profiles.ts';

it('takes good profiles as they are', () => {
  const profiles = [
    {
      name: 'gpu-1',
      baseUrl: 'http://127.0.0.1:8080',
      slots: 4,
      apiKey: 'k',
      agents: ['planner'],
      tags: ['eu'],
    },
    { name: 'gpu-2', baseUrl: 'https://gpu-2.example', model: 'pilot', cacheTokens: 50_000 },
  ];
  expect(checkNodeProfiles(profiles)).toEqual(profiles);
});

it('names every problem at once, and no key', () => {
  const secret = 'sesame\nopen';
  const wrong = [
    { name: 'gpu-1', baseUrl: 'gpu-1:8080', slots: 0 },
    { baseUrl: 'http://user:hush@127.0.0.1' },
    { name: 'gpu-3', baseUrl: 'http://127.0.0.1:1', apiKey: secret, weight: 3 },
    { name: 'gpu-4', baseUrl: 'http://127.0.0.1:2' },
    { name: 'gpu-4', baseUrl: 'http://127.0.0.1:3' },
  ];
  let message = '';
  try {
    checkNodeProfiles(wrong);
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain('node "gpu-1": ');
  expect(message).toContain('slots: ');
  expect(message).toContain('baseUrl: not an http:, https: or file: URL (got "gpu-1:8080")');
  expect(message).toContain('node number 2: name: ');
  expect(message).toContain('holds a user name or password');
  expect(message).toContain('"weight"');
  expect(message).toContain('apiKey: ');
  expect(message).toContain('two nodes are named "gpu-4"');
  expect(message).not.toMatch(/hush|sesame/);
});

it('wants at least one node', () => {
  expect(() => checkNodeProfiles([])).toThrow('there are no nodes');
});
