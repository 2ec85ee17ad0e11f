// `import-time.mjs PACKAGE…`: what importing these takes, in a process that has imported little else.
import { answerParent } from '../child.mjs';
import { importPackage } from '../peers.mjs';

const names = process.argv.slice(2);
const [began, before] = [performance.now(), process.cpuUsage()];
for (const name of names) await importPackage(name);
const wallMs = performance.now() - began;
const { user, system } = process.cpuUsage(before);
answerParent({ wallMs, cpuMs: (user + system) / 1000 }, () => ({}));
