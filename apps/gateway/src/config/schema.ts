import { z } from 'zod';
import { count, dollars, MAX_TIMER_SECONDS, name, seconds, secret, text } from './fields.ts';
import { defaultsSchema, providerSchema } from './provider-schema.ts';

export type { NodeConfig, NodesConfig, ProviderConfig } from './provider-schema.ts';

// The form of gateway.yaml. Every field has a description: editors show it, from the JSON Schema made of this.

const targetSchema = z
  .strictObject({ provider: name, model: text.exactOptional().describe('As the provider knows it.') })
  .describe('One provider to ask.');

const limits = {
  requestsPerMinute: count.exactOptional(),
  tokensPerMinute: count.exactOptional().describe('Prompt and completion together.'),
  usdPerDay: dollars.exactOptional(),
  usdPerMonth: dollars.exactOptional(),
};

const modelSchema = z.strictObject({
  targets: z
    .array(targetSchema)
    .min(1)
    .describe('Who is asked: the next one when the one before fails before its first output.'),
  defaults: defaultsSchema.exactOptional(),
  midStream: z
    .enum(['fail', 'continue', 'restart'])
    .exactOptional()
    .describe('When an answer breaks off that has begun. Default fail.'),
  description: text.exactOptional(),
});

const hash = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'use what `airframe-gateway key` prints: sha256: and 64 hex digits');

const keySchema = z.strictObject({
  name,
  hash: z
    .union([hash, z.array(hash).min(1).max(8)], { error: 'give one hash, or a list of up to 8' })
    .describe(
      'Of the key: `airframe-gateway key` makes both. The key itself is nowhere in this file. A list: each of them is good, as while a key is replaced.',
    ),
  models: z
    .array(text)
    .min(1)
    .exactOptional()
    .describe('Models it may use, by their names; `*` at the end stands for any rest. Default: all.'),
  admin: z.boolean().exactOptional().describe('May open the console and see all calls. Default false.'),
  agent: text.exactOptional().describe('Agent name of its calls, unless they name one. Default `unknown`.'),
  maxConcurrent: count.exactOptional().describe('Most calls at once, in each replica.'),
  expires: z.iso.date('write it as 2027-12-31').exactOptional().describe('Last day (UTC) it is good for.'),
  ...limits,
});

const ruleSchema = z
  .strictObject({
    name,
    scope: z.enum(['agent', 'key', 'tag', 'all']),
    match: text.exactOptional().describe('The one agent, key (by its name) or tag it is for. Default: each.'),
    window: z
      .union([z.enum(['minute', 'hour', 'day', 'month']), z.int().min(1_000)], {
        error: 'use minute, hour, day, month, or whole milliseconds from 1000',
      })
      .describe('Begins at whole minutes, hours, days and months (UTC).'),
    usd: dollars.exactOptional(),
    tokens: count.exactOptional(),
    requests: count.exactOptional(),
  })
  .refine(({ usd, tokens, requests }) => usd ?? tokens ?? requests, { error: 'give usd, tokens or requests' })
  .refine(({ scope, match }) => scope !== 'all' || match === undefined, {
    error: 'scope all has no match; use agent, key or tag',
  })
  .describe('A budget or a rate beside those of the keys.');

const priceSchema = z
  .strictObject({ prompt: z.number().min(0), completion: z.number().min(0) })
  .describe('US dollars per 1,000 tokens.');

const serverSchema = z.strictObject({
  host: text.exactOptional().describe('Address to listen on. Default 127.0.0.1: this machine alone.'),
  port: z.int().min(0).max(65_535).exactOptional().describe('Default 8787; 0: any free one.'),
  maxBodyBytes: count.exactOptional().describe('Default 20 MiB.'),
  maxHeaderBytes: count.exactOptional().describe('Default 16 KiB.'),
  maxConcurrent: count.exactOptional().describe('Most calls at once, in this process. Default 4096.'),
  maxConnections: count.exactOptional().describe('Most open sockets. Default 8192.'),
  requestTimeout: seconds
    .exactOptional()
    .describe('Seconds a call may take, all fallbacks together. Default 600.'),
  keepAlive: seconds
    .exactOptional()
    .describe('Seconds of silence in a stream after which a comment is sent. Default 15.'),
  writeTimeout: seconds
    .exactOptional()
    .describe('Seconds a client may leave a stream unread before it is cut off. Default 60.'),
  drain: z
    .number()
    .min(0)
    .max(MAX_TIMER_SECONDS)
    .exactOptional()
    .describe('Seconds that calls under way may take to end when the gateway is told to stop. Default 30.'),
  cors: z.array(text).exactOptional().describe('Origins whose pages may call; `*` for all. Default: none.'),
  forwardHeaders: z
    .array(z.string().regex(/^[xX]-/, 'only headers that begin with x- can be passed on'))
    .exactOptional()
    .describe('Headers of clients that are passed on to providers. Default: none.'),
  trustProxy: z.boolean().exactOptional().describe('Believe X-Forwarded-For. Default false.'),
});

export const configSchema = z
  .strictObject({
    $schema: text.exactOptional().describe('For editors; means nothing to the gateway.'),
    server: serverSchema.exactOptional(),
    providers: z.record(name, providerSchema).describe('Where answers come from, by names of your own.'),
    models: z.record(text, modelSchema).exactOptional().describe('What clients may name as model.'),
    defaultModel: text.exactOptional().describe('For requests that name none.'),
    keys: z
      .array(keySchema)
      .exactOptional()
      .describe('Who may call. Default: one made at start, printed once.'),
    limits: z.array(ruleSchema).exactOptional(),
    whenStoreFails: z
      .enum(['open', 'closed'])
      .exactOptional()
      .describe('Calls while Redis is away. Default open.'),
    redis: z
      .strictObject({
        url: secret.regex(/^(rediss?|valkeys?|unix):\/\//, 'write it as redis://HOST:PORT'),
        prefix: text.exactOptional(),
      })
      .exactOptional()
      .describe(
        'Shares budgets, limits, circuits, nodes and the cache among replicas. Default: this process alone.',
      ),
    cache: z.strictObject({ ttl: seconds }).exactOptional(),
    prices: z
      .record(text, z.record(text, priceSchema))
      .exactOptional()
      .describe('By type of provider, such as openai, and model: over those known.'),
    breaker: z
      .strictObject({ failures: count.exactOptional(), open: seconds.exactOptional() })
      .exactOptional(),
    log: z
      .strictObject({
        level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).exactOptional(),
        access: z.boolean().exactOptional().describe('One line for each call. Default true.'),
      })
      .exactOptional(),
    console: z
      .strictObject({
        enabled: z.boolean().exactOptional().describe('Default true.'),
        capture: z
          .boolean()
          .exactOptional()
          .describe('Keep prompts and answers in the request log, in memory. Default false.'),
        maxRequests: count.exactOptional().describe('Calls kept in the request log. Default 1000.'),
      })
      .exactOptional(),
    metrics: z
      .strictObject({
        public: z.boolean().exactOptional().describe('Without a key. Default true on loopback, else false.'),
      })
      .exactOptional(),
  })
  .describe('Configuration of the gateway.');

/** A configuration as it is written, checked. */
export type Config = z.infer<typeof configSchema>;
export type ModelConfig = z.infer<typeof modelSchema>;
export type KeyConfig = z.infer<typeof keySchema>;
export type ServerConfig = z.infer<typeof serverSchema>;
