import { describe, expect, it } from 'vitest';
import { Interrupt, Turns } from './turns.ts';

const never = new AbortController().signal;

describe('Turns', () => {
  it('are given in the order of asking, so many at once', async () => {
    const turns = new Turns(2);
    const order: string[] = [];
    const take = async (name: string) => {
      const end = await turns.take(never);
      order.push(name);
      return end;
    };
    const [endA] = await Promise.all([take('a'), take('b')]);
    const waiting = [take('c'), take('d')];
    await Promise.resolve();
    expect(order).toEqual(['a', 'b']);
    endA();
    const endC = await waiting[0];
    expect(order).toEqual(['a', 'b', 'c']);
    endC?.();
    await waiting[1];
    expect(order).toEqual(['a', 'b', 'c', 'd']);
  });

  it('give up a place in the queue when the signal fires', async () => {
    const turns = new Turns(1);
    const end = await turns.take(never);
    const leaving = new AbortController();
    const left = turns.take(leaving.signal);
    const next = turns.take(never);
    leaving.abort(new Error('changed my mind'));
    await expect(left).rejects.toThrow('changed my mind');
    end();
    await expect(next).resolves.toBeTypeOf('function');
  });

  it('count a turn that is ended twice once', async () => {
    const turns = new Turns(1);
    const end = await turns.take(never);
    end();
    end();
    await turns.take(never);
    let second = false;
    void turns.take(never).then(() => {
      second = true;
    });
    await new Promise(setImmediate);
    expect(second).toBe(false);
  });
});

describe('Interrupt', () => {
  it('stops waiting when the signal fires, and not before', async () => {
    const controller = new AbortController();
    const interrupt = new Interrupt(controller.signal);
    await expect(interrupt.wait(Promise.resolve(1))).resolves.toBe(1);
    const waiting = interrupt.wait(new Promise(() => {}));
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(interrupt.wait(new Promise(() => {}))).rejects.toThrow('enough');
    interrupt.dispose();
  });
});
