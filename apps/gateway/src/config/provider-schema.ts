import { STRATEGIES } from '@x/avionics';
import { z } from 'zod';
import { count, MAX_TIMER_SECONDS, name, seconds, secret, text } from './fields.ts';

// The providers of gateway.yaml, and their nodes.

const httpUrl = z
  .url({ protocol: /^https?$/, error: 'write it as http://HOST:PORT or https://HOST' })
  // It stands in logs and errors, so it must not hold a secret.
  .refine(url => !/^\w+:\/\/[^/]*@/.test(url), {
    error: 'a user name or password has no place here; use apiKey',
  })
  .refine(url => !/[?#]/.test(url), { error: 'it has a query or a fragment; give the root of the server' });

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

export const defaultsSchema = z
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

export const providerSchema = z
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

export type ProviderConfig = z.infer<typeof providerSchema>;
export type NodeConfig = z.infer<typeof nodeSchema>;
export type NodesConfig = z.infer<typeof nodesSchema>;
