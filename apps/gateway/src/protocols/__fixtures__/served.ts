import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { AirframeError } from '@x/airframe';
import { afterEach } from 'vitest';
import type { AnswerWriter, Asked, Protocol } from '../protocol.ts';
import { statusOf } from '../status.ts';
import { facts, type Reply, responseOf, streamOf } from './replies.ts';

/** What the server does: a reply, or the text of a stream of the test's own. */
export type Script = Reply | ((writer: AnswerWriter) => string);

/** For a test file: a server on a socket that speaks a protocol as it is written, closed after each test. */
export function serving(protocol: Protocol): {
  /** @returns its address */
  serve(script: Script): Promise<string>;
  /** What the last client asked. */
  asked(): Asked | undefined;
} {
  let server: http.Server | undefined;
  let asked: Asked | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  return {
    asked: () => asked,
    async serve(script) {
      server = http.createServer(async (request, response) => {
        let body = '';
        for await (const chunk of request) body += chunk;
        try {
          asked = protocol.read(JSON.parse(body));
          send(response, asked, script);
        } catch (thrown) {
          const error = AirframeError.from(thrown);
          response.writeHead(statusOf(error), { 'content-type': 'application/json' });
          response.end(JSON.stringify(protocol.refusal(error, facts.requestId)));
        }
      });
      await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      return `http://127.0.0.1:${port}`;
    },
  };
}

function send(response: http.ServerResponse, { stream, answer }: Asked, script: Script): void {
  const writer = answer(facts);
  if (stream) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(typeof script === 'function' ? script(writer) : streamOf(writer, script));
    return;
  }
  if (typeof script === 'function') throw new Error('a stream was scripted, and the client asked for none');
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(writer.whole(responseOf(script))));
}
