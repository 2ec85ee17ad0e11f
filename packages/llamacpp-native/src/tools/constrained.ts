import type { AdapterDefinition, Call, Reply } from '@x/airframe';
import type { LlamaCppExtra, PlainRequest } from '../request.ts';
import { AnswerReader } from './answer-reader.ts';
import { offerOf } from './offer.ts';
import { type FollowSchema, plainRequest } from './plain-request.ts';

type Infer = AdapterDefinition<LlamaCppExtra>['infer'];
type PlainCall = Call<PlainRequest>;
type PlainInfer = (call: PlainCall, reply: Reply) => ReturnType<Infer>;

/** An `infer` that knows nothing of tools, as one that does: by a format that answers are held to and read by. */
export function constrained(infer: PlainInfer, follow?: FollowSchema): Infer {
  return (call, reply) => {
    const plain = { ...call, request: plainRequest(call.request, follow) };
    if (!offerOf(call.request)) return infer(plain, reply);
    return read(infer, plain, reply, call.request.stop);
  };
}

async function* read(
  infer: PlainInfer,
  call: PlainCall,
  reply: Reply,
  stop: readonly string[] | undefined,
): AsyncGenerator<void> {
  const answer = new AnswerReader(
    {
      text: reply.text.bind(reply),
      toolCall: reply.toolCall.bind(reply),
      finish: reply.finish.bind(reply),
    },
    stop,
  );
  // What the model writes is no longer what the reply says.
  reply.text = piece => answer.push(piece);
  reply.finish = reason => answer.end(reason);
  for await (const _ of await infer(call, reply)) {
    if (answer.stopped) return;
    yield;
  }
}
