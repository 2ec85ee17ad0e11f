import { STRATEGIES } from '@x/avionics';
import { z } from 'zod';

// The form of gateway.yaml. Every field has a description: editors show it, from the JSON Schema made of this.

const name = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'use up to 64 letters, digits, `_`, `.` or `-`')
  .describe('A name of your own: letters, digits, `_`, `.` and `-`.');
/** Of providers, nodes, keys and limits. */
export const nameSchema: z.ZodType<string> = name;
const text = z.string().min(1);
const count = z.int().positive();
/** Node's timers hold 2^31 - 1 milliseconds; a longer one would fire at once. */
const MAX_TIMER_SECONDS = 2_147_483;
const seconds = z.number().positive().max(MAX_TIMER_SECONDS);
/** Budgets are counted in billionths of a dollar. */
const dollars = z.number().min(1e-9);
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is what the user is to write.
const secret = text.describe('A secret; write ${VARIABLE} to take it from the environment.');

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'write it as http://HOST:PORT or https://HOST' })
  // It stands in logs and errors, so it must not hold a secret.
  .refine(url => !/^\w+:\/\/[^/]*@/.test(url), {
    error: 'a user name or password has no place here; use apiKey',
  })
  .refine(url => !/[?#]/.test(url), { error: 'it has a query or a fragment; give the root of the server' });

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

const defaultsSchema = z
  .strictObject({
    temperature: z.number().min(0).max(2).exactOptional(),
    maxTokens: count.exactOptional(),
    topP: z.number().min(0).max(1).exactOptional(),
    stop: z.array(text).exactOptional(),
    reasoning: z
      .strictObject({ effort: z.enum(EFFORTS).exactOptional(), maxTokens: count.exactOptional() })
      .exactOptional(),
    extra: z
      .record(z.string(), z.unknown())
      .exactOptional()
      .describe('Parameters of the backend, sent as they are.'),
  })
  .describe('What a request gets where it says nothing.');

const common = {
  timeout: seconds
    .exactOptional()
    .describe('Longest wait without progress, in seconds. Default 120 for llama-server, 60 in the cloud.'),
  maxRetries: z
    .int()
    .min(0)
    .exactOptional()
    .describe('Tries after the first one, before any output. Default 3.'),
  defaults: defaultsSchema.exactOptional(),
  expose: z
    .array(text)
    .exactOptional()
    .describe('Models that clients may name as `<provider>/<model>`, beside the aliases. Default: none.'),
};

const nodeSchema = z
  .strictObject({
    name,
    baseUrl: httpUrl,
    model: text.exactOptional().describe('Model it serves. Default: it takes any.'),
    agents: z.array(text).min(1).exactOptional().describe('Agents it is for. Default: all.'),
    tags: z.array(text).exactOptional(),
    slots: count.exactOptional().describe('Calls it works on at once. Default: what the server says.'),
    apiKey: secret.exactOptional(),
    cacheTokens: count
      .exactOptional()
      .describe('Tokens of prompts it may still hold, to begin with. Default 262144.'),
  })
  .describe('One llama-server.');

export const nodeListSchema = z
  .array(nodeSchema)
  .min(1)
  .superRefine((nodes, context) => {
    for (const [index, { name }] of nodes.entries()) {
      if (nodes.findIndex(other => other.name === name) === index) continue;
      context.addIssue({
        code: 'custom',
        path: [index, 'name'],
        message: 'two nodes have this name; names must differ',
      });
    }
  })
  .describe('The nodes, one by one.');

const nodesSchema = z
  .union(
    [
      nodeListSchema,
      z.strictObject({
        file: text.describe(
          'JSON or YAML file with a list of nodes, by its path from here; read again when it changes.',
        ),
      }),
      z.strictObject({
        env: text.describe('Variable with a list of nodes as JSON, or of addresses by comma.'),
      }),
      z.strictObject({
        kubernetes: z
          .strictObject({
            namespace: text.exactOptional(),
            service: text.exactOptional().describe('Its EndpointSlices are the nodes.'),
            port: z
              .union([text, count], { error: 'give the name of a port, or its number' })
              .exactOptional()
              .describe('Name or number of the port of its pods. Default http.'),
            configMap: text.exactOptional().describe('Or: a ConfigMap with endpoints.'),
          })
          .refine(({ service, configMap }) => (service === undefined) !== (configMap === undefined), {
            error: 'give either service or configMap',
          }),
      }),
    ],
    { error: 'give a list of at least one node, or one of file, env and kubernetes' },
  )
  .describe('Several llama-servers that work as one.');

const providerSchema = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('llamacpp').describe('llama.cpp in this process.'),
      modelPath: text.describe('GGUF file, by its path from here.'),
      contextTokens: count.exactOptional(),
      gpuLayers: z.int().min(-1).exactOptional(),
      threads: count.exactOptional(),
      idleUnload: z
        .number()
        .min(0)
        .max(MAX_TIMER_SECONDS)
        .exactOptional()
        .describe('Seconds without calls until the model is unloaded.'),
      isolation: z.enum(['none', 'process']).exactOptional(),
      ...common,
    }),
    z.strictObject({
      type: z.literal('llamaserver'),
      baseUrl: httpUrl.exactOptional().describe('Root of the server. Or give `nodes`.'),
      nodes: nodesSchema.exactOptional(),
      strategy: z.enum(STRATEGIES).exactOptional().describe('How a node is chosen. Default balanced.'),
      maxQueue: count.exactOptional().describe('Most calls that wait for a slot. Default 256.'),
      maxWait: seconds.exactOptional().describe('Longest wait for a slot, in seconds. Default 30.'),
      apiKey: secret.exactOptional(),
      model: text.exactOptional(),
      api: z.enum(['native', 'openai']).exactOptional().describe('Default openai.'),
      ...common,
    }),
    z.strictObject({
      type: z.literal('openai').describe('OpenAI, or a server that speaks its protocol.'),
      baseUrl: httpUrl.exactOptional(),
      apiKey: secret.exactOptional(),
      organization: text.exactOptional(),
      project: text.exactOptional(),
      api: z.enum(['chat', 'responses']).exactOptional().describe('Default chat.'),
      model: text.exactOptional(),
      ...common,
    }),
    z.strictObject({
      type: z.literal('anthropic'),
      baseUrl: httpUrl.exactOptional(),
      apiKey: secret.exactOptional(),
      model: text.exactOptional(),
      ...common,
    }),
    z.strictObject({
      type: z.literal('azure'),
      endpoint: httpUrl,
      apiKey: secret.exactOptional(),
      deployment: text.exactOptional(),
      apiVersion: text.exactOptional(),
      ...common,
    }),
    z.strictObject({ type: z.literal('mock').describe('Answers without a model; for tests.') }),
  ])
  .describe('Where answers come from.');

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
export type ProviderConfig = z.infer<typeof providerSchema>;
export type ModelConfig = z.infer<typeof modelSchema>;
export type KeyConfig = z.infer<typeof keySchema>;
export type NodeConfig = z.infer<typeof nodeSchema>;
export type NodesConfig = z.infer<typeof nodesSchema>;
export type ServerConfig = z.infer<typeof serverSchema>;
