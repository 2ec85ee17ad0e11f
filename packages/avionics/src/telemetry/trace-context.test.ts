import { createTraceState, type SpanContext, TraceFlags } from '@opentelemetry/api';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, it } from 'vitest';
import { json, type ScriptedServer, scriptedServer, sse } from '../../../../test/scripted-server.ts';
import { askThrough, telemetryWithSdk } from '../../test/telemetry-sdk.ts';
import { LlamaServerProvider } from '../providers/llama-server.ts';
import { Telemetry, type TelemetryOptions } from './telemetry.ts';
import { traceHeaders } from './trace-context.ts';

let server: ScriptedServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const last = { content: 'hi', stop: true, stop_type: 'eos', tokens_predicted: 1, tokens_evaluated: 3 };

/** The trace context with which each request of one call came in at a llama-server. */
async function arrived(telemetry: Telemetry): Promise<(string | string[] | undefined)[]> {
  const templated = json(200, { prompt: 'hi' });
  server = await scriptedServer(templated, sse([last]));
  const provider = new LlamaServerProvider(server.url);
  const messages = [{ role: 'user' as const, content: 'hi' }];
  await askThrough(telemetry, [{ provider, baseUrl: server.url }], { messages });
  await provider.close();
  return server.seen.map(({ headers }) => headers['traceparent']);
}

describe('the trace context', () => {
  it('reaches the backend with every request, as that of the attempt', async () => {
    const sdk = telemetryWithSdk();
    const seen = await arrived(sdk.telemetry);
    const attempt = sdk.spans()[0]?.spanContext();
    expect(seen).toEqual(Array(2).fill(`00-${attempt?.traceId}-${attempt?.spanId}-01`));
  });

  it('tells the backend when the trace is not sampled', async () => {
    const seen = await arrived(telemetryWithSdk({ sampler: new AlwaysOffSampler() }).telemetry);
    expect(seen).toEqual(Array(2).fill(expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)));
  });

  it.each<[string, () => Telemetry]>([
    ['there is no SDK', () => new Telemetry()],
    [
      'it is turned off',
      () => telemetryWithSdk({ sendTraceContext: false } satisfies TelemetryOptions).telemetry,
    ],
  ])('is not sent where %s', async (_, telemetry) => {
    expect(await arrived(telemetry())).toEqual([undefined, undefined]);
  });

  it('takes the state of other vendors along, and no baggage', () => {
    const span: SpanContext = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: TraceFlags.SAMPLED,
      traceState: createTraceState('rojo=00f067aa0ba902b7'),
    };
    expect(traceHeaders(span)).toEqual({
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'rojo=00f067aa0ba902b7',
    });
  });
});
