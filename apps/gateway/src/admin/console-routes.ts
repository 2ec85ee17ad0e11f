import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

export interface ConsoleOptions {
  /** Folder of the built console. Default: that of `@x/console`. */
  root?: string;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const NOT_BUILT =
  'The console is not built; run `pnpm build` in the workspace and start the gateway again.\n';

/** A fastify plugin: the console at `/`. It holds no secret, so anybody may load it; what it shows needs a key. */
export async function consoleRoutes(
  app: FastifyInstance,
  { root = builtConsole() }: ConsoleOptions,
): Promise<void> {
  if (root === undefined || !existsSync(join(root, 'index.html'))) {
    app.get('/', async (_request, reply) => reply.code(404).type('text/plain').send(NOT_BUILT));
    return;
  }
  await app.register(fastifyStatic, {
    root,
    // One route a file: what is not there stays with the server's own answer for unknown paths.
    wildcard: false,
    cacheControl: false,
    setHeaders: (response, path) => {
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
      // The build names all but the page by its content.
      const lasting = dirname(path) !== root;
      response.setHeader('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
}

function builtConsole(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('@x/console/index.html'));
  } catch {
    return undefined;
  }
}
