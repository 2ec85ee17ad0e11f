import { collect, type HttpFn, type Message } from '@x/airframe';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answer, messages } from './__fixtures__/served.ts';
import { contentsOf } from './contents.ts';
import { geminiAdapter } from './index.ts';
import type { WirePart } from './wire.ts';

const encoder = new TextEncoder();

/** The message that a reply of these parts becomes, each part an event of its own. */
async function messageOf(parts: WirePart[]): Promise<Message | undefined> {
  async function* body() {
    for (const chunk of [...parts.map(part => answer([part])), answer([], 'STOP')]) {
      yield encoder.encode(`data: ${JSON.stringify(chunk)}\n\n`);
    }
  }
  const headers = { 'content-type': 'text/event-stream' };
  const http: HttpFn = async () => ({ status: 200, headers, body: body() });
  const endpoint = { name: 'e', backendKind: 'gemini', baseUrl: 'http://x', model: 'm' };
  return (await collect(geminiAdapter({ http }).streamInfer(endpoint, { messages }))).message;
}

const thoughtSignature = fc.string({ minLength: 1 });
const text = fc.string({ minLength: 1 });
const call = fc.record({ id: fc.uuid(), name: fc.constant('wx'), args: fc.dictionary(text, text) });

const thought = fc.record({ text: fc.string(), thought: fc.constant(true), thoughtSignature });
const signedText = fc.record({ text: fc.string(), thoughtSignature });
/** The first of parallel calls is signed, the others follow it. */
const calls = fc
  .tuple(thoughtSignature, fc.array(call, { minLength: 1, maxLength: 3 }))
  .map(([signature, all]) =>
    all.map((functionCall, n) =>
      n === 0 ? { functionCall, thoughtSignature: signature } : { functionCall },
    ),
  );
const reply = fc.array(fc.oneof(thought, signedText, fc.record({ text }), calls)).map(parts => parts.flat());

/** Unsigned text may be joined, for nothing tells where one part of it ended. */
function joined(parts: WirePart[]): WirePart[] {
  const all: WirePart[] = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (isPlain(part) && last && isPlain(last)) last.text = `${last.text}${part.text}`;
    else all.push({ ...part });
  }
  return all;
}

const isPlain = (part: WirePart): boolean => Object.keys(part).join() === 'text';

describe('a reply', () => {
  it('goes back as it came, whatever of it is signed', async () => {
    await fc.assert(
      fc.asyncProperty(reply, async parts => {
        const message = await messageOf(parts);
        const [content] = contentsOf(message ? [message] : [], undefined);
        expect(content?.parts ?? []).toEqual(joined(parts));
      }),
    );
  });
});
