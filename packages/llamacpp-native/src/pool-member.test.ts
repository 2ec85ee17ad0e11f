import { AirframeError } from '@x/airframe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Load, ModelPool, type Poolable } from './model-pool.ts';
import { type MemberOptions, PoolMember, type Use } from './pool-member.ts';

/** Loads of names instead of models; a load waits until the test lets it go on. */
class Loads {
  readonly events: string[] = [];
  readonly progress = new Map<string, (fraction: number) => void>();
  readonly #waiting = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  disposing: () => Promise<void> = async () => {};
  readonly pool: ModelPool<Poolable>;

  constructor() {
    const load: Load<Poolable> = ({ path, signal, onProgress }) => {
      this.events.push(`load ${path}`);
      if (onProgress) this.progress.set(path, onProgress);
      return new Promise((resolve, reject) => {
        const dispose = async () => {
          this.events.push(`dispose ${path}`);
          await this.disposing();
        };
        signal?.addEventListener('abort', () => this.events.push(`give up ${path}`));
        this.#waiting.set(path, { resolve: () => resolve({ dispose }), reject });
      });
    };
    this.pool = new ModelPool(load);
  }

  async finish(path: string): Promise<void> {
    await turn();
    this.#waiting.get(path)?.resolve();
    await turn();
  }

  async fail(path: string, message: string): Promise<void> {
    await turn();
    this.#waiting.get(path)?.reject(new AirframeError('backend', message));
    await turn();
  }
}

const turn = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
const CLOSED = new AirframeError('aborted', 'closed');

let loads: Loads;
let warnings: string[];
beforeEach(() => {
  vi.useFakeTimers();
  loads = new Loads();
  warnings = [];
});
afterEach(() => vi.useRealTimers());

function member(options: Partial<MemberOptions> = {}): PoolMember<Poolable> {
  return new PoolMember(loads.pool, { onWarning: message => warnings.push(message), ...options });
}

const calm = new AbortController().signal;

/** Uses a model that is loaded at once. */
async function used(by: PoolMember<Poolable>, path: string, idleUnloadMs?: number): Promise<Use<Poolable>> {
  const use = by.use({ path }, { signal: calm, idleUnloadMs });
  await loads.finish(path);
  return use;
}

describe('a model in a pool', () => {
  it('is loaded once for all who ask, and freed when the last one lets go', async () => {
    const [one, other] = [member(), member()];
    const uses = [one, other, one].map(by => by.use({ path: 'a', threads: undefined }, { signal: calm }));
    await loads.finish('a');
    const [first, second, third] = await Promise.all(uses);
    expect(first?.model).toBe(second?.model);
    for (const use of [first, second, third]) use?.done();
    await one.close(CLOSED);
    expect(loads.events).toEqual(['load a']);
    await other.close(CLOSED);
    expect(loads.events).toEqual(['load a', 'dispose a']);
  });

  it('is another one with other options, but not for being loaded unchecked', async () => {
    const one = member();
    for (const key of [{ path: 'a' }, { path: 'a', threads: 2 }, { path: 'a', checkMemory: false }]) {
      void one.use(key, { signal: calm });
    }
    await turn();
    expect(loads.events).toEqual(['load a', 'load a']);
  });

  it('tells its progress to all who wait, those who come late included, once each', async () => {
    const told: string[] = [];
    const telling = (name: string) =>
      member({ onProgress: (fraction, path) => told.push(`${name} ${path} ${fraction}`) });
    const [one, late] = [telling('one'), telling('late')];
    void one.use({ path: 'a' }, { signal: calm });
    void one.use({ path: 'a' }, { signal: calm });
    await turn();
    loads.progress.get('a')?.(0.25);
    void late.use({ path: 'a' }, { signal: calm });
    loads.progress.get('a')?.(1);
    expect(told).toEqual(['one a 0.25', 'late a 0.25', 'one a 1', 'late a 1']);
  });

  it('is loaded on while anybody waits, and given up when nobody does', async () => {
    const [one, other] = [member(), member()];
    const [first, second] = [new AbortController(), new AbortController()];
    const uses = [
      one.use({ path: 'a' }, { signal: first.signal }),
      other.use({ path: 'a' }, { signal: second.signal }),
    ];
    await turn();
    first.abort(new Error('enough'));
    await expect(uses[0]).rejects.toThrow('enough');
    expect(loads.events).toEqual(['load a']);
    second.abort(new Error('enough, too'));
    await expect(uses[1]).rejects.toThrow('enough, too');
    expect(loads.events).toEqual(['load a', 'give up a']);
    expect(one.state({ path: 'a' })).toBe('unknown');
  });

  it('waits for those that go: their memory may be what it needs', async () => {
    const one = member();
    const leaving = new AbortController();
    const use = one.use({ path: 'a' }, { signal: leaving.signal });
    await turn();
    leaving.abort(new Error('enough'));
    await expect(use).rejects.toThrow('enough');
    const next = one.use({ path: 'b' }, { signal: calm });
    await turn();
    expect(loads.events).toEqual(['load a', 'give up a']);
    // The load was over before it could be given up.
    await loads.finish('a');
    expect(loads.events).toEqual(['load a', 'give up a', 'dispose a', 'load b']);
    await loads.finish('b');
    await next;
  });

  it('that could not be loaded is forgotten, but its health says why to those who asked', async () => {
    const [one, other] = [member(), member()];
    const uses = [one, one].map(by => by.use({ path: 'a' }, { signal: calm }));
    const failed = Promise.allSettled(uses);
    await loads.fail('a', 'broken');
    expect((await failed).map(result => result.status)).toEqual(['rejected', 'rejected']);
    expect(() => one.state({ path: 'a' })).toThrow('broken');
    expect(other.state({ path: 'a' })).toBe('unknown');
    const again = one.use({ path: 'a' }, { signal: calm });
    expect(one.state({ path: 'a' })).toBe('loading');
    await loads.finish('a');
    await again;
    expect([one, other].map(by => by.state({ path: 'a' }))).toEqual(['healthy', 'healthy']);
  });

  it('that cannot be freed is warned of', async () => {
    const one = member();
    loads.disposing = () => Promise.reject(new Error('stuck'));
    (await used(one, 'a')).done();
    await one.close(CLOSED);
    expect(warnings).toEqual(['a model could not be unloaded: stuck']);
  });
});

describe('idle models', () => {
  it('are unloaded in time, counted from the end of the last call', async () => {
    const one = member();
    const [use, second] = [await used(one, 'a', 1000), await used(one, 'a', 1000)];
    use.done();
    await vi.advanceTimersByTimeAsync(2000);
    second.done();
    second.done();
    await vi.advanceTimersByTimeAsync(999);
    (await used(one, 'a', 1000)).done();
    await vi.advanceTimersByTimeAsync(999);
    expect(loads.events).toEqual(['load a']);
    await vi.advanceTimersByTimeAsync(1);
    expect(loads.events).toEqual(['load a', 'dispose a']);
    expect(one.state({ path: 'a' })).toBe('unknown');
    await used(one, 'a');
    expect(loads.events).toEqual(['load a', 'dispose a', 'load a']);
  });

  it('are kept as long as the one who keeps them longest says', async () => {
    const [short, long] = [member(), member()];
    (await used(short, 'a', 1000)).done();
    (await used(long, 'a', 5000)).done();
    await vi.advanceTimersByTimeAsync(4999);
    expect(loads.events).toEqual(['load a']);
    await vi.advanceTimersByTimeAsync(1);
    expect(loads.events).toEqual(['load a', 'dispose a']);
  });

  it('are kept until the end when nothing is said', async () => {
    const one = member();
    (await used(one, 'a')).done();
    await vi.advanceTimersByTimeAsync(1e9);
    expect(loads.events).toEqual(['load a']);
  });
});

describe('no more than maxLoaded models', () => {
  it('are kept: what was idle longest goes before the next one is loaded', async () => {
    const one = member({ maxLoaded: 2 });
    for (const path of ['a', 'b', 'a', 'c']) (await used(one, path)).done();
    expect(loads.events).toEqual(['load a', 'load b', 'dispose b', 'load c']);
  });

  it('are loaded while an old one finishes its calls, which goes when it has', async () => {
    const one = member({ maxLoaded: 1 });
    const old = await used(one, 'a');
    (await used(one, 'b')).done();
    expect(loads.events).toEqual(['load a', 'load b']);
    old.done();
    await turn();
    expect(loads.events).toEqual(['load a', 'load b', 'dispose a']);
    expect(one.state({ path: 'b' })).toBe('healthy');
  });
});

describe('close', () => {
  it('waits for the calls under way, refuses later ones, and can be called twice', async () => {
    const one = member();
    const use = await used(one, 'a');
    let closed = 0;
    const closing = [one.close(CLOSED), one.close(CLOSED)].map(close => close.then(() => closed++));
    await expect(one.use({ path: 'a' }, { signal: calm })).rejects.toThrow('closed');
    await turn();
    expect(closed).toBe(0);
    use.done();
    await Promise.all(closing);
    expect(loads.events).toEqual(['load a', 'dispose a']);
  });

  it('waits until a load that was given up is over', async () => {
    const one = member();
    const leaving = new AbortController();
    const use = one.use({ path: 'a' }, { signal: leaving.signal });
    await turn();
    leaving.abort(CLOSED);
    await expect(use).rejects.toThrow('closed');
    const closing = one.close(CLOSED).then(() => loads.events.push('closed'));
    await loads.finish('a');
    await closing;
    expect(loads.events).toEqual(['load a', 'give up a', 'dispose a', 'closed']);
  });
});
