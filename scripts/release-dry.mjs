// `pnpm release:dry`: what the next release would publish, packed, and tried as its users would use it. Publishes nothing.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printTable } from '../bench/report.mjs';
import { pack } from './pack.mjs';
import { MANAGERS, tryWay } from './release/consumer.mjs';
import { ensureNode } from './release/node-runtimes.mjs';
import { stageRelease } from './release/stage.mjs';
import { WAYS } from './release/ways.mjs';
import { ensureBuilt, ensureInstalled } from './workspace.mjs';

/** The oldest Node that the packages promise (`engines`), and the newest of each line. */
const NODES = ['20.18.1', '20', '22', '24', '26'];

const HELP = `Usage: pnpm release:dry [options]

  --node VERSION   only this Node: 20, 22, 24, 26, or a whole version such as 20.18.1; may be repeated
  --manager NAME   only npm or pnpm; may be repeated
  --way NAME       only ${WAYS.map(({ name }) => name).join(', ')}; may be repeated
  --plan           only versions, changelogs and tarballs: nothing is installed
  --keep           leave the projects where they are
`;

const several = { type: 'string', multiple: true, default: [] };
const flag = { type: 'boolean' };
const options = { node: several, manager: several, way: several, plan: flag, keep: flag, help: flag };

try {
  process.exitCode = await main(parseArgs({ options }).values);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function main(values) {
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const managers = chosen('manager', values.manager, Object.keys(MANAGERS));
  const ways = chosen(
    'way',
    values.way,
    WAYS.map(({ name }) => name),
  ).map(name => WAYS.find(way => way.name === name));
  await ensureInstalled();
  await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), 'airframe-release-'));
  try {
    const tarballs = await packRelease(folder);
    if (values.plan) return 0;
    const nodes = [];
    for (const wanted of values.node.length > 0 ? values.node : NODES)
      nodes.push(await ensureNode(wanted, say));
    const trials = nodes.flatMap(node => managers.map(manager => ({ node, manager })));
    const rows = [];
    for (const trial of trials)
      rows.push({ ...trial, outcomes: await tryAll(trial, ways, tarballs, folder) });
    return report(rows, ways);
  } finally {
    if (values.keep) say(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

function chosen(option, wanted, all) {
  const unknown = wanted.find(name => !all.includes(name));
  if (unknown === undefined) return wanted.length > 0 ? all.filter(name => wanted.includes(name)) : all;
  throw new Error(`--${option} is ${JSON.stringify(unknown)}; give one of ${all.join(', ')}`);
}

/** @returns name → tarball */
async function packRelease(folder) {
  const copy = join(folder, 'workspace');
  mkdirSync(copy);
  say('Raising versions in a copy of the workspace …');
  const packages = await stageRelease(copy);
  const tarballs = {};
  for (const { name, folder: from, to } of packages) {
    say(`Packing ${name}@${to} …`);
    tarballs[name] = await pack(from, join(folder, 'tarballs'));
  }
  for (const { name, from, to, changelog } of packages) {
    console.log(`\n${name} ${from} → ${to}`);
    console.log(from === to ? 'nothing to release: no changeset names it' : changelog.replace(/^/gm, '  '));
  }
  return tarballs;
}

/** Each way in a project of its own; one that fails does not keep the others from being tried. */
async function tryAll({ node, manager }, ways, tarballs, folder) {
  const outcomes = [];
  for (const way of ways) {
    const where = `Node ${node.version} · ${manager} · ${way.name}`;
    const started = performance.now();
    const own = Object.fromEntries(way.packages.map(name => [name, tarballs[name]]));
    const project = join(folder, 'projects', `${node.version}-${manager}-${way.name}`);
    say(`${where} …`);
    try {
      const commonJs = await tryWay({ folder: project, way, manager, node, tarballs: own });
      outcomes.push({ ok: true, commonJs });
      say(
        `${where}: ok (import, ${commonJs}, types; ${((performance.now() - started) / 1000).toFixed(0)} s)`,
      );
    } catch (error) {
      outcomes.push({ ok: false, step: error.message.split(/[:\n]/)[0] });
      say(`${where}: FAILED: ${error.message}`);
    }
  }
  return outcomes;
}

function report(rows, ways) {
  const cell = ({ ok, step }) => (ok ? 'ok' : `FAILED: ${step}`);
  const commonJs = outcomes => outcomes.find(({ ok }) => ok)?.commonJs ?? '';
  printTable(
    'Each way of use: installed, types checked (nodenext, bundler), run as an ES module and as CommonJS',
    ['Node', 'manager', ...ways.map(({ name }) => name), 'CommonJS by'],
    rows.map(({ node, manager, outcomes }) => [
      node.version,
      manager,
      ...outcomes.map(cell),
      commonJs(outcomes),
    ]),
  );
  const all = rows.flatMap(({ outcomes }) => outcomes);
  const failed = all.filter(({ ok }) => !ok).length;
  console.log(`\n${all.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function say(line) {
  console.error(line);
}
