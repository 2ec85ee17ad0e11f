import { expect, it } from 'vitest';
import { Outbox } from './outbox.ts';
import { type Report, WINDOW } from './protocol.ts';

it('sends what several calls report in one turn as one message', async () => {
  const messages: Report[][] = [];
  const outbox = new Outbox(reports => messages.push(reports));
  outbox.wrote(1, ['text', 'a']);
  outbox.handedOut(1);
  outbox.entered(2, 'idle');
  outbox.wrote(1, ['text', 'b']);
  outbox.handedOut(1);
  outbox.add({ type: 'answer', id: 1 });
  await new Promise(setImmediate);
  expect(messages).toEqual([
    [
      {
        type: 'progress',
        id: 1,
        writes: [
          ['text', 'a'],
          ['text', 'b'],
        ],
        events: 2,
      },
      { type: 'progress', id: 2, writes: [], events: 0, phase: 'idle' },
      { type: 'answer', id: 1 },
    ],
  ]);
});

it('gathers while messages follow each other closely, and keeps the order', async () => {
  const texts: string[] = [];
  let messages = 0;
  const outbox = new Outbox(reports => {
    messages++;
    for (const report of reports) {
      if (report.type === 'progress') texts.push(...report.writes.map(([, text]) => String(text)));
    }
  });
  const written = Array.from({ length: 1_000 }, (_, index) => String(index));
  for (const text of written) {
    outbox.wrote(1, ['text', text]);
    await new Promise(setImmediate);
  }
  await new Promise(resolve => setTimeout(resolve, 20));
  expect(texts).toEqual(written);
  expect(messages).toBeLessThan(written.length / 2);
});

it('sends at once what would make a call wait for its reader’s credit', () => {
  const messages: Report[][] = [];
  const outbox = new Outbox(reports => messages.push(reports));
  for (let events = 1; events < WINDOW; events++) outbox.handedOut(1);
  expect(messages).toMatchObject([[{ events: WINDOW / 2 }]]);
});
