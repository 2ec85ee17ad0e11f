import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { keyCommand } from './key-command.ts';
import { hashOf, KeyRing, makeKey } from './keys.ts';

describe('a key', () => {
  it('is 256 random bits, of which the configuration holds the hash', () => {
    const { key, hash } = makeKey();
    expect(key).toMatch(/^xg-[A-Za-z0-9_-]{43}$/);
    expect(hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(hash).toBe(hashOf(key));
    expect(makeKey().key).not.toBe(key);
    // printf abc | sha256sum
    expect(hashOf('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('is found by what a client presents, and by nothing else', () => {
    const { key, hash } = makeKey();
    const ring = new KeyRing([
      { name: 'a', hash },
      { name: 'b', hash: makeKey().hash, admin: true },
    ]);
    expect(ring.find(key)).toMatchObject({ name: 'a', admin: false, agent: 'unknown' });
    for (const wrong of ['', hash, `${key} `, key.slice(0, -1), makeKey().key]) {
      expect(ring.find(wrong)).toBeUndefined();
    }
    expect(new KeyRing([{ name: 'a', hash: hashOf('') }]).find('')).toBeUndefined();
  });

  it('may have more than one hash while it is replaced', () => {
    const [old, young] = [makeKey(), makeKey()];
    const ring = new KeyRing([{ name: 'a', hash: [old.hash, young.hash] }]);
    expect(ring.find(old.key)).toBe(ring.find(young.key));
  });

  it('is good until the end of its last day (UTC)', () => {
    const { key, hash } = makeKey();
    const ring = new KeyRing([{ name: 'a', hash, expires: '2027-02-28' }]);
    expect(ring.find(key, Date.parse('2027-02-28T23:59:59.999Z'))?.name).toBe('a');
    expect(ring.find(key, Date.parse('2027-03-01T00:00:00Z'))).toBeUndefined();
  });

  it('may use the models it names, a * at the end standing for any rest, or all', () => {
    const ring = (models?: string[]) => {
      const { key, hash } = makeKey();
      return new KeyRing([{ name: 'a', hash, ...(models && { models }) }]).find(key);
    };
    const some = ring(['pilot', 'openai/*']);
    expect(['pilot', 'openai/gpt-5', 'openai/'].every(model => some?.mayUse(model))).toBe(true);
    expect(['pilot2', 'openai', 'PILOT', '*'].some(model => some?.mayUse(model))).toBe(false);
    expect(ring()?.mayUse('anything')).toBe(true);
  });
});

describe('the command that makes a key', () => {
  it('prints it with the lines for the configuration', () => {
    const text = keyCommand('team-a');
    const [, key = ''] = /(xg-\S+)/.exec(text) ?? [];
    expect(parse(text.slice(text.indexOf('keys:')))).toEqual({
      keys: [{ name: 'team-a', hash: hashOf(key) }],
    });
    expect(text.split(key)).toHaveLength(2);
  });

  it('refuses a name that the configuration would not take', () => {
    expect(() => keyCommand('team a')).toThrow('a key cannot be named "team a"; use up to 64 letters');
  });
});
