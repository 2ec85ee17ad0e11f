import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findConfig, loadConfig } from './load.ts';
import { ConfigError } from './problem.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: variables are what these tests are about.

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gateway-config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, text: string) {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function load(text: string, env: Record<string, string> = {}, name = 'gateway.yaml') {
  return (await loadConfig(await put(name, text), env)).config;
}

async function problemsOf(text: string, env: Record<string, string> = {}) {
  const error = await load(text, env).then(
    () => expect.unreachable('it was taken'),
    error => error,
  );
  expect(error).toBeInstanceOf(ConfigError);
  const { problems, message } = error as ConfigError;
  const lines = message.split('\n').slice(1);
  expect(lines).toHaveLength(problems.length);
  return lines.map(line => line.trim().replace(`${folder}/`, ''));
}

const MOCK = 'providers: {box: {type: mock}}\n';
const HASH = `sha256:${'0'.repeat(64)}`;

describe('a configuration', () => {
  it('is read from YAML and from JSON', async () => {
    const yaml =
      'providers:\n  box: {type: llamaserver, baseUrl: "http://127.0.0.1:8080"}\nmodels: {m: {targets: [{provider: box}]}}';
    const expected = {
      providers: { box: { type: 'llamaserver', baseUrl: 'http://127.0.0.1:8080' } },
      models: { m: { targets: [{ provider: 'box' }] } },
    };
    expect(await load(yaml)).toMatchObject(expected);
    const json = JSON.stringify({ $schema: './gateway.schema.json', ...expected }, null, '\t');
    expect(await load(json, {}, 'gateway.json')).toMatchObject(expected);
  });

  it('has its aliases of YAML filled in', async () => {
    const { models } = await load(`${MOCK}models: {a: {targets: &t [{provider: box}]}, b: {targets: *t}}`);
    expect(models?.['b']).toEqual(models?.['a']);
  });

  it('has full paths, which begin at its own folder', async () => {
    await mkdir(join(folder, 'models'));
    await put('models/tiny.gguf', '');
    const { providers } = await load('providers: {here: {type: llamacpp, modelPath: models/tiny.gguf}}');
    expect(providers['here']).toMatchObject({ modelPath: join(folder, 'models/tiny.gguf') });
  });

  it('gets its host and port from the environment, where they are given there', async () => {
    const env = { GATEWAY_HOST: '127.0.0.2', GATEWAY_PORT: '9000' };
    const { server } = await load(`${MOCK}server: {port: 1, drain: 5}`, env);
    expect(server).toEqual({ host: '127.0.0.2', port: 9000, drain: 5 });
    // Kubernetes' own, of a Service named `gateway`.
    expect((await load(MOCK, { GATEWAY_PORT: 'tcp://10.0.0.1:8787' })).server).toEqual({});
    expect(await problemsOf(MOCK, { GATEWAY_PORT: '99999' })).toEqual([
      'GATEWAY_PORT: not a port: "99999"; give a number from 0 to 65535',
    ]);
  });

  it('is found by GATEWAY_CONFIG or by its name in the folder of the user', async () => {
    expect(findConfig({ INIT_CWD: folder })).toBeUndefined();
    expect(findConfig({ INIT_CWD: folder, GATEWAY_CONFIG: 'x.yaml' })).toBe(join(folder, 'x.yaml'));
    await put('gateway.json', '{}');
    const path = await put('gateway.yml', '{}');
    expect(findConfig({ INIT_CWD: folder })).toBe(path);
  });

  it('that cannot be read is an error with the path', async () => {
    const path = join(folder, 'none.yaml');
    await expect(loadConfig(path, {})).rejects.toThrow(`${path} there is no such file; check the path`);
    await expect(loadConfig(folder, {})).rejects.toThrow('the file cannot be read (EISDIR)');
  });
});

describe('variables', () => {
  it('are filled into texts, with defaults for those that are not set or empty', async () => {
    const text = `${MOCK}server:\n  cors: ["\${A}", "x-\${A}-\${B:-b}", "\${EMPTY:-e}", "$\${A}", $A]`;
    await expect(load(text, { A: 'a$&', EMPTY: '' })).resolves.toMatchObject({
      server: { cors: ['a$&', 'x-a$&-b', 'e', '${A}', '$A'] },
    });
  });

  it('become numbers and booleans where one is wanted, in lists of nodes as well, and nothing else', async () => {
    const text = [
      'server: {port: "${PORT}", drain: "${DRAIN:-2.5}"}',
      'console: {enabled: "${CONSOLE}"}',
      'providers:',
      '  box: {type: llamaserver, nodes: [{name: "${PORT}", baseUrl: "http://h:${PORT}", slots: "${SLOTS}"}]}',
    ].join('\n');
    const config = await load(text, { PORT: '8080', CONSOLE: 'false', SLOTS: '4' });
    expect(config).toMatchObject({
      server: { port: 8080, drain: 2.5 },
      console: { enabled: false },
      providers: { box: { nodes: [{ name: '8080', baseUrl: 'http://h:8080', slots: 4 }] } },
    });
    expect(await problemsOf(`${MOCK}server: {port: "1\${PORT}"}`, { PORT: '8' })).toEqual([
      'gateway.yaml:2:16 server.port: not a number: …; a variable must stand alone to be one',
    ]);
  });

  it('never become YAML, and are not looked for in keys and comments', async () => {
    const text = `# \${NONE}\n${MOCK}models: {"\${NONE}": {targets: [{provider: box, model: "\${M}"}]}}`;
    const config = await load(text, { M: '{a: [b]}\nserver: {port: 1}' });
    expect(config.models).toEqual({
      '${NONE}': { targets: [{ provider: 'box', model: '{a: [b]}\nserver: {port: 1}' }] },
    });
  });

  it('that are missing or wrong are named with path and line, once each', async () => {
    const text = [
      'providers:',
      '  cloud:',
      '    type: openai',
      '    apiKey: ${OPENAI_API_KEY}',
      '    timeout: ${TIMEOUT}',
      '    organization: ${EMPTY}',
      '    project: ${1X}',
      '    model: ${M:-${N}}',
    ].join('\n');
    expect(await problemsOf(text, { EMPTY: '' })).toEqual([
      'gateway.yaml:4:13 providers.cloud.apiKey: the variable OPENAI_API_KEY is not set; set it, or write ${OPENAI_API_KEY:-default}',
      'gateway.yaml:5:14 providers.cloud.timeout: the variable TIMEOUT is not set; set it, or write ${TIMEOUT:-default}',
      'gateway.yaml:6:19 providers.cloud.organization: the variable EMPTY is empty; set it, or write ${EMPTY:-default}',
      'gateway.yaml:7:14 providers.cloud.project: a variable is wrong; write ${NAME} or ${NAME:-default}, and $${ for a plain ${',
      'gateway.yaml:8:12 providers.cloud.model: a variable is wrong; write ${NAME} or ${NAME:-default}, and $${ for a plain ${',
    ]);
  });
});

describe('what is wrong', () => {
  it('with values is said all at once, each with line, value and remedy', async () => {
    const text = [
      'server: {port: "80", drain: true, colour: red}',
      'providers:',
      '  bad name: {type: mock}',
      '  typed: {type: ollama}',
      '  box:',
      '    type: llamaserver',
      '    baseUrl: foo',
      '    timeout: 0',
      '    strategy: best',
      '  nodes: {type: llamaserver, nodes: [{name: a, baseUrl: "ftp://h"}, {name: a}]}',
      '  none: {type: llamaserver, nodes: {}}',
      '  empty:',
      'models: {m: {targets: []}}',
      'keys: [{name: k, expires: 2026-13-01}]',
      'limits: [{name: l, scope: all, window: 5x}]',
    ].join('\n');
    expect(await problemsOf(text)).toEqual([
      'gateway.yaml:1:16 server.port: not a number: "80"; take the quotes away',
      'gateway.yaml:1:29 server.drain: not a number: true',
      expect.stringMatching(/^gateway.yaml:1:43 server.colour: unknown field; known here: host, port, /),
      'gateway.yaml:3:3 providers.bad name: this name is not good; use up to 64 letters, digits, `_`, `.` or `-`',
      'gateway.yaml:4:17 providers.typed.type: not good: "ollama"; use one of llamacpp, llamaserver, openai, anthropic, azure, mock',
      'gateway.yaml:7:14 providers.box.baseUrl: not a URL: "foo"; write it as http://HOST:PORT or https://HOST',
      'gateway.yaml:8:14 providers.box.timeout: too small: 0; give more than 0',
      'gateway.yaml:9:15 providers.box.strategy: unknown: "best"; use one of round_robin, least_busy, affinity, balanced',
      'gateway.yaml:9:15 providers.box.strategy: is for nodes; give nodes, or take it away',
      'gateway.yaml:10:57 providers.nodes.nodes.0.baseUrl: not a URL: "ftp://h"; write it as http://HOST:PORT or https://HOST',
      'gateway.yaml:10:69 providers.nodes.nodes.1.baseUrl: is missing; give a text',
      'gateway.yaml:11:29 providers.none.nodes: not good: a mapping; give a list of at least one node, or one of file, env and kubernetes',
      'gateway.yaml:12:3 providers.empty: is empty; give a mapping, or take the line away',
      'gateway.yaml:13:14 models.m.targets: give at least 1',
      'gateway.yaml:14:8 keys.0.hash: is missing; give one hash, or a list of up to 8',
      'gateway.yaml:14:27 keys.0.expires: not a date: "2026-13-01"; write it as 2027-12-31',
      'gateway.yaml:15:40 limits.0.window: not good: "5x"; use minute, hour, day, month, or whole milliseconds from 1000',
    ]);
  });

  it('between one field and another is said as well, in the same list', async () => {
    const other = `sha256:${'1'.repeat(64)}`;
    const text = [
      'server: {host: 0.0.0.0, port: -1}',
      'defaultModel: nix',
      'providers:',
      '  both: {type: llamaserver, baseUrl: "http://h", nodes: [{name: a, baseUrl: "http://h"}]}',
      '  neither: {type: llamaserver}',
      '  twice: {type: llamaserver, nodes: [{name: a, baseUrl: "http://h"}, {name: a, baseUrl: "http://i"}]}',
      '  openai: {type: openai}',
      '  azure: {type: azure, endpoint: "https://h"}',
      '  here: {type: llamacpp, modelPath: no.gguf}',
      '  box: {type: mock}',
      '  own: {type: openai, baseUrl: "http://h/v1", expose: [m]}',
      'models:',
      '  good: {targets: [{provider: box}, {provider: bix}]}',
      '  own/m: {targets: [{provider: box}]}',
      'keys:',
      `  - {name: a, hash: "${HASH}", models: [good, own/m, goo, "x*"]}`,
      `  - {name: a, hash: ["${other}", "${HASH}"]}`,
      'limits:',
      '  - {name: l, scope: key, match: b, window: minute, requests: 1}',
      '  - {name: l, scope: all, match: b, window: minute}',
    ].join('\n');
    expect(await problemsOf(text)).toEqual([
      'gateway.yaml:1:31 server.port: too small: -1; give at least 0',
      'gateway.yaml:2:15 defaultModel: no model is named "nix"; known: good, own/m',
      'gateway.yaml:4:3 providers.both: has baseUrl and nodes; give one of the two',
      'gateway.yaml:5:3 providers.neither: has no address; give baseUrl or nodes',
      'gateway.yaml:6:77 providers.twice.nodes.1.name: not good: "a"; two nodes have this name; names must differ',
      'gateway.yaml:7:3 providers.openai: has no apiKey; give one, such as ${OPENAI_API_KEY}, or the baseUrl of a server that needs none',
      'gateway.yaml:8:3 providers.azure: has no apiKey; give one, such as ${AZURE_API_KEY}',
      `gateway.yaml:9:37 providers.here.modelPath: there is no file "no.gguf" (from ${folder}); give the path of a GGUF file`,
      'gateway.yaml:13:48 models.good.targets.1.provider: no provider is named "bix"; known: both, neither, twice, openai, azure, here, box, own',
      'gateway.yaml:14:3 models.own/m: a provider exposes a model of that name; choose another',
      'gateway.yaml:15:1 keys: the gateway is to listen where others reach it (server.host), and its console needs a key with admin: true; add one, or set console.enabled: false',
      'gateway.yaml:16:118 keys.0.models.2: no model is named "goo"; known: good, own/m',
      'gateway.yaml:17:12 keys.1.name: two keys are named "a"; names must differ',
      'gateway.yaml:17:15 keys.1.hash: this hash stands here twice; make a key with `airframe-gateway key`',
      'gateway.yaml:19:34 limits.0.match: no key is named "b"; known: a',
      'gateway.yaml:20:5 limits.1: give usd, tokens or requests',
      'gateway.yaml:20:5 limits.1: scope all has no match; use agent, key or tag',
      'gateway.yaml:20:12 limits.1.name: two limits are named "l"; names must differ',
    ]);
  });

  it.each([
    ['no keys', '', {}, [/^gateway.yaml:1:1 the gateway is to listen where others.*GATEWAY_HOST.*give keys/]],
    ['no keys, without a console', 'console: {enabled: false}', {}, [/give keys/]],
    ['an empty list of keys', 'keys: []', {}, [/keys: the list is empty, so nobody could call/]],
    ['an admin key', `keys: [{name: a, hash: "${HASH}", admin: true}]`, {}, []],
    ['no admin key, but no console', `console: {enabled: false}\nkeys: [{name: a, hash: "${HASH}"}]`, {}, []],
  ])('about access from elsewhere is seen: %s', async (_what, text, _env, expected) => {
    const run = problemsOf(MOCK + text, { GATEWAY_HOST: '0.0.0.0' });
    if (expected.length === 0) await expect(run).rejects.toThrow('it was taken');
    else expect(await run).toEqual(expected.map(pattern => expect.stringMatching(pattern)));
  });

  it('with the syntax is said with its line', async () => {
    expect(await problemsOf('providers:\n\tbox: 1')).toEqual([
      'gateway.yaml:2:1 Tabs are not allowed as indentation',
    ]);
    expect(await problemsOf('a: 1\na: 2')).toEqual(['gateway.yaml:2:1 Map keys must be unique']);
    expect(await problemsOf('server: {port: ${PORT}}')).toContain(
      'gateway.yaml:1:17 between brackets and braces a variable must be in quotes: "${NAME}"',
    );
    expect(await problemsOf('redis:\n  url: *abc')).toEqual([
      'gateway.yaml:2:8 an alias (*…) without its anchor (&…) before it; put a text that begins with * in quotes',
    ]);
    expect(await problemsOf('')).toEqual(['gateway.yaml:1:1 is missing; give a mapping']);
    expect(await problemsOf('just words')).toEqual(['gateway.yaml:1:1 not a mapping']);
  });

  it.each([
    ['a wrong hash', `${MOCK}keys: [{name: a, hash: hunter2}, hunter2]`],
    ['a list of hashes', `${MOCK}keys: [{name: a, hash: [hunter2]}]`],
    ['the address of Redis', `${MOCK}redis: {url: "http://:hunter2@host"}`],
    [
      'a key that is no text',
      'providers: {a: {type: openai, apiKey: [hunter2]}, b: {type: openai, apiKey: {hunter2: 1}}}',
    ],
    ['a key in place of a provider', 'providers: {a: hunter2}'],
    ['a password in an address', 'providers: {a: {type: openai, baseUrl: "http://u:hunter2@h"}}'],
    ['a key in an address', 'providers: {a: {type: openai, baseUrl: "http://h/?key=hunter2"}}'],
    [
      'a variable in any field',
      `${MOCK}defaultModel: \${SECRET}\nserver: {port: "\${SECRET}", host: "\${SECRET}"}`,
    ],
    ['a variable with a list of nodes', 'providers: {a: {type: llamaserver, nodes: {env: NODES}}}'],
    ['an alias', 'redis: {url: *hunter2 }'],
    ['an escape', 'redis: {url: "\\hunter2"}'],
    ['a text without an end', 'redis:\n url: "hunter2\n'],
    ['a tag', 'redis: {url: !hunter2 x}'],
    ['a key of a node in a file', 'providers: {a: {type: llamaserver, nodes: {file: nodes.yaml}}}'],
  ])('never shows a secret: %s', async (_what, text) => {
    await put(
      'nodes.yaml',
      '[{name: a, baseUrl: "http://u:hunter2@h", apiKey: [hunter2], model: ["${SECRET}"]}]',
    );
    const problems = await problemsOf(text, {
      SECRET: 'hunter2',
      NODES: '[{"name": 1, "baseUrl": "hunter2"}]',
    });
    expect(problems.join('\n')).not.toContain('unter2');
  });
});

describe('nodes that stand elsewhere', () => {
  const withNodes = (nodes: string) => `providers: {box: {type: llamaserver, nodes: ${nodes}}}`;
  const a = { name: 'a', baseUrl: 'http://10.0.0.1:8080' };

  it('come from a file beside the configuration, whose variables are filled in', async () => {
    const path = await put('nodes.yaml', '- name: a\n  baseUrl: http://10.0.0.1:8080\n  slots: ${SLOTS}');
    const file = await put('gateway.yaml', withNodes('{file: nodes.yaml}'));
    const loaded = await loadConfig(file, { SLOTS: '2' });
    expect(loaded.config.providers['box']).toEqual({ type: 'llamaserver', nodes: [{ ...a, slots: 2 }] });
    expect([...loaded.files.keys()]).toEqual([file, path]);
  });

  it('come from a variable, as JSON or as addresses', async () => {
    const text = withNodes('{env: NODES}');
    const nodesOf = async (NODES: string) => (await load(text, { NODES })).providers['box'];
    expect(await nodesOf(JSON.stringify([a]))).toMatchObject({ nodes: [a] });
    expect(await nodesOf('10.0.0.5:8080, https://llama.example/ ,http://[::1]:8080')).toMatchObject({
      nodes: [
        { name: '10.0.0.5-8080', baseUrl: 'http://10.0.0.5:8080' },
        { name: 'llama.example', baseUrl: 'https://llama.example/' },
        { name: '1-8080', baseUrl: 'http://[::1]:8080' },
      ],
    });
    expect(await problemsOf(text)).toEqual([
      'NODES: is not set; give a list of nodes as JSON, or addresses with commas between them',
    ]);
  });

  it('have their problems with the lines of their own file', async () => {
    expect(await problemsOf(withNodes('{file: nodes.json}'))).toEqual([
      'nodes.json there is no such file; check the path',
    ]);
    await put('nodes.json', '[\n  {"name": "a", "baseUrl": "foo"},\n  {"name": "a", "slots": 0}\n]');
    expect(await problemsOf(`server: {port: -1}\n${withNodes('{file: nodes.json}')}`)).toEqual([
      'gateway.yaml:1:16 server.port: too small: -1; give at least 0',
      'nodes.json:2:28 0.baseUrl: not a URL: "foo"; write it as http://HOST:PORT or https://HOST',
      'nodes.json:3:3 1.baseUrl: is missing; give a text',
      'nodes.json:3:26 1.slots: too small: 0; give more than 0',
    ]);
  });
});
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above.
