import { describe, expect, it } from 'vitest';
import { Secrets } from './secrets.ts';

const KEY = 'schl\u00fcssel/"1"';

describe('secrets in a body', () => {
  const forms = [
    KEY,
    JSON.stringify(KEY),
    JSON.stringify(KEY).replaceAll('/', '\\/'),
    encodeURIComponent(KEY),
  ];

  it.each(forms)('are overwritten wherever the body is cut in three: %s', form => {
    const secrets = new Secrets([KEY]);
    const body = Buffer.from(`a ${form} z`);
    for (let first = 0; first <= body.length; first++) {
      for (let second = first; second <= body.length; second++) {
        const chunks = [body.subarray(0, first), body.subarray(first, second), body.subarray(second)];
        const clean = secrets.body(chunks);
        expect(clean.map(({ length }) => length)).toEqual(chunks.map(({ length }) => length));
        expect(Buffer.concat(clean).toString()).toMatch(/^a "?\*+"? z$/);
      }
    }
  });

  it('leave everything else as it is, bytes that are no text included', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(Buffer.concat(new Secrets([KEY]).body([bytes]))).toEqual(Buffer.from(bytes));
  });
});

describe('secrets in a text', () => {
  it('leave no rest when one is the beginning of another', () => {
    expect(new Secrets(['abc', 'abcdef']).text('abcdef abc')).toBe('*** ***');
  });

  it('are found by the name of their header, cookie or query parameter, or in the address', () => {
    const secrets = new Secrets();
    const headers = {
      'X-Goog-Api-Key': 'first-1',
      Cookie: 'sid=second-2; theme=dark',
      'set-cookie': 'a=third-3; Path=/v1/longer; Expires=Thursday',
      'Proxy-Authorization': 'Basic fourth-4',
    };
    secrets.learn(headers, 'https://me:seventh-7@host/a?key=fifth-5&access_token=sixth%2F6&v=2026-01-01');
    expect(secrets.text('first-1 second-2 third-3 fourth-4 fifth-5 sixth/6 sixth%2F6 seventh-7')).toBe(
      Array(8).fill('***').join(' '),
    );
    expect(secrets.text('/v1/longer Thursday 2026-01-01')).toBe('/v1/longer Thursday 2026-01-01');
    expect(secrets.url('https://me:x@host/first-1?key=k&sig=s&v=1')).toBe(
      'https://***@host/***?key=***&sig=***&v=1',
    );
    expect(Object.values(secrets.headers(headers))).toEqual(Array(4).fill('***'));
  });
});
