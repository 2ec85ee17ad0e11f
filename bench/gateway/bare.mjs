// The floor: a pass-through proxy of node:http and undici's `stream`. `bare.mjs PORT UPSTREAM_ORIGIN`
import { createServer } from 'node:http';
import { importPackage } from '../peers.mjs';

const [port, origin] = process.argv.slice(2);
const { Pool } = await importPackage('undici');
const pool = new Pool(origin);

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', () => pass(request, Buffer.concat(parts), response));
});

/** No faster than the client reads; a client that is gone ends the upstream's work. */
function pass({ method, url, headers }, body, response) {
  const begin = ({ statusCode, headers: { 'content-type': type, 'content-length': length } }) =>
    response.writeHead(statusCode, { 'content-type': type, ...(length && { 'content-length': length }) });
  const ended = error => {
    if (!error) return;
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end(error.message);
  };
  const { 'content-type': type } = headers;
  pool.stream({ path: url, method, headers: { 'content-type': type }, body }, begin, ended);
}

server.keepAliveTimeout = 0;
server.listen(Number(port), '127.0.0.1');
