import { parseArgs } from 'node:util';
import { PROVIDER_TYPES } from '@x/avionics';

/** What the user asked for on the command line. */
export interface Arguments {
  /** Words that are no option; empty: read stdin, or chat. */
  prompt: string;
  provider?: string;
  model?: string;
  system?: string;
  maxTokens?: number;
  temperature?: number;
  json: boolean;
  help: boolean;
}

export const HELP = `Usage: npm start -- [options] [prompt]

  npm start -- "What is 2+2?"     one answer
  npm start                       a chat (Ctrl-C stops an answer, /clear starts anew, Ctrl-D leaves)
  echo "What is 2+2?" | npm start a prompt from stdin

Options
  --provider NAME     llamacpp (in this process, default), llamaserver, openai, anthropic, azure or mock
  --model NAME|PATH   a GGUF file for llamacpp, a model's name for the others; default: the project's demo model
  --system TEXT       system message
  --max-tokens N      longest answer, in tokens (default 512)
  --temperature N     0: always the likeliest token
  --json              print one JSON object: text, usage, cost, timings
  --help              this text

Environment: LLM_PROVIDER, LLAMACPP_MODEL_PATH, LLAMASERVER_HOST (default http://127.0.0.1:8080), DEFAULT_MODEL and the
other settings of @x/avionics. Options come before the environment.
`;

/** A mistake of the user's; its message is all they need to see. */
export class UsageError extends Error {}

/** @throws UsageError naming the option, its value and the remedy */
export function parseArguments(argv: string[]): Arguments {
  const { values, positionals } = parse(withNegativeNumbers(argv));
  const { provider, model, system } = values;
  if (provider !== undefined && !PROVIDER_TYPES.some(type => type === provider)) {
    throw new UsageError(
      `--provider is ${JSON.stringify(provider)}; give one of ${PROVIDER_TYPES.join(', ')}`,
    );
  }
  if (model?.trim() === '') throw new UsageError('--model is ""; give a GGUF file or a model\'s name');
  return {
    prompt: positionals.join(' '),
    json: values.json ?? false,
    help: values.help ?? false,
    ...(provider === undefined ? {} : { provider }),
    ...(model === undefined ? {} : { model }),
    ...(system === undefined ? {} : { system }),
    ...optionalNumber(
      'maxTokens',
      '--max-tokens',
      values['max-tokens'],
      isPositiveInteger,
      'a whole number above 0',
    ),
    ...optionalNumber(
      'temperature',
      '--temperature',
      values.temperature,
      isNotNegative,
      'a number, 0 or more',
    ),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        provider: { type: 'string' },
        model: { type: 'string' },
        system: { type: 'string' },
        'max-tokens': { type: 'string' },
        temperature: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const [reason] = (error as Error).message.split(/\. |\n/);
    throw new UsageError(`${reason}; --help lists the options`);
  }
}

/**
 * parseArgs takes `-1` for an option. Behind an option that wants a number it is a bad value, and is to be named as
 * one; anywhere else it belongs to the prompt ("-5 + 3 = ?").
 */
function withNegativeNumbers(argv: string[]): string[] {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length;
  const read: string[] = [];
  const words: string[] = [];
  for (const argument of argv.slice(0, end)) {
    const option = read.at(-1) ?? '';
    const isNegative = /^-\d/.test(argument);
    if (isNegative && NUMBER_OPTIONS.has(option)) read[read.length - 1] = `${option}=${argument}`;
    // Words behind one that had to be set aside are set aside as well, to keep their order.
    else if (isNegative || (words.length > 0 && !argument.startsWith('-') && !VALUE_OPTIONS.has(option))) {
      words.push(argument);
    } else read.push(argument);
  }
  const rest = [...words, ...argv.slice(end + 1)];
  return rest.length > 0 ? [...read, '--', ...rest] : read;
}

const NUMBER_OPTIONS: ReadonlySet<string> = new Set(['--max-tokens', '--temperature']);
const VALUE_OPTIONS: ReadonlySet<string> = new Set([...NUMBER_OPTIONS, '--provider', '--model', '--system']);

function optionalNumber<Key extends 'maxTokens' | 'temperature'>(
  key: Key,
  option: string,
  text: string | undefined,
  valid: (value: number) => boolean,
  wanted: string,
): { [K in Key]?: number } {
  if (text === undefined) return {};
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!valid(value)) throw new UsageError(`${option} is ${JSON.stringify(text)}; give ${wanted}`);
  return { [key]: value } as { [K in Key]?: number };
}

const isPositiveInteger = (value: number): boolean => Number.isSafeInteger(value) && value > 0;
const isNotNegative = (value: number): boolean => Number.isFinite(value) && value >= 0;
