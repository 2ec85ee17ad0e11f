#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { isAirframeError } from '@x/airframe';
import { SettingsError } from '@x/avionics';
import { keyCommand } from './auth/key-command.ts';
import { configJsonSchema } from './config/json-schema.ts';
import { findConfig, loadConfig } from './config/load.ts';
import { ConfigError } from './config/problem.ts';
import { serve } from './serve.ts';

const HELP = `Usage: airframe-gateway [command] [options]

An HTTP gateway that clients of OpenAI and Anthropic use by changing their base URL.

Commands
  (none)          starts the gateway
  check           checks the configuration and ends: 0 it is good, 2 it is not
  key [name]      makes a key, and shows it this once, with its lines for the configuration
  schema          prints the JSON Schema of gateway.yaml

Options
  --config FILE   default: GATEWAY_CONFIG, else gateway.yaml, .yml or .json in this folder, else
                  the demo model in this process, for this machine alone
  --host ADDRESS  default: that of the configuration, else 127.0.0.1
  --port NUMBER   default: that of the configuration, else 8787
  --help, -h      this text
`;

/** 1: it failed. 2: the user's input was wrong. */
const EXIT = { failed: 1, usage: 2 } as const;

class UsageError extends Error {}

interface SystemError extends NodeJS.ErrnoException {
  address?: string;
  port?: number;
  hostname?: string;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = isUsers(error) ? EXIT.usage : EXIT.failed;
}

async function main(argv: string[]): Promise<number> {
  const { values, positionals } = argumentsOf(argv);
  if (values.help) return say(HELP);
  const [command, ...rest] = positionals;
  const unused = rest[command === 'key' ? 1 : 0];
  if (unused !== undefined) {
    throw new UsageError(
      `${command} does not know what to do with ${JSON.stringify(unused)}; --config names a file, and --help tells the rest`,
    );
  }
  const env = environment(values);
  switch (command) {
    case undefined:
      return serve(env);
    case 'check': {
      const path = findConfig(env);
      if (path === undefined)
        throw new UsageError('no gateway.yaml, .yml or .json is in this folder; name one with --config');
      await loadConfig(path, env);
      return say(`${path} is good\n`);
    }
    case 'key':
      return say(keyFor(rest[0]));
    case 'schema':
      return say(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    default:
      throw new UsageError(`there is no command ${JSON.stringify(command)}; --help names them`);
  }
}

function keyFor(name: string | undefined): string {
  try {
    return keyCommand(name);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function argumentsOf(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const [what] = (error as Error).message.split('. ');
    throw new UsageError(`${what}; --help tells what there is`);
  }
}

/** Options are variables said for this once. */
function environment({
  config,
  host,
  port,
}: {
  config?: string;
  host?: string;
  port?: string;
}): NodeJS.ProcessEnv {
  const env = { ...process.env };
  if (config !== undefined) env['GATEWAY_CONFIG'] = config;
  if (host !== undefined) env['GATEWAY_HOST'] = host;
  if (port !== undefined) env['GATEWAY_PORT'] = port;
  return env;
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  const { code, address, port, hostname } = error as SystemError;
  if (code === 'EADDRINUSE') {
    return `error: ${address}:${port} is in use; stop what listens there, or name another with --port`;
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return `error: cannot listen on ${address}:${port} (${code}); name another with --host and --port`;
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `error: cannot listen on ${hostname}: it is no address of this machine (${code}); name one with --host, IPv6 without brackets`;
  }
  return `error: ${error.message}`;
}

function isUsers(error: unknown): boolean {
  return (
    error instanceof UsageError ||
    error instanceof ConfigError ||
    error instanceof SettingsError ||
    (isAirframeError(error) && error.category === 'invalid_request')
  );
}
