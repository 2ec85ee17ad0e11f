// The gate's check for known vulnerabilities; what fails it is said in SECURITY.md.
import { outputOfPnpm } from './workspace.mjs';

/** From these on an advisory for a production dependency fails the gate; others are only told. */
const FAILING = ['high', 'critical'];

/** How pnpm says that no answer is to be had; other failures are failures. */
const NO_ENDPOINT = /responded with (?:404|405|501)/;
const NO_CONNECTION = /Failed to request the audit endpoint/;

process.exitCode = await main();

async function main() {
  const { stdout, stderr } = await outputOfPnpm(['audit', '--prod', '--json']);
  const report = parsed(stdout);
  if (report === undefined) return withoutReport(unwrapped(`${stdout}${stderr}`));
  const found = Object.values(report.advisories ?? {});
  for (const { severity, module_name: name, title, url } of found) {
    console.error(`${severity}: ${name}: ${title} (${url})`);
  }
  const failing = found.filter(({ severity }) => FAILING.includes(severity));
  console.log(`audit: ${found.length} known in production dependencies, ${failing.length} high or critical`);
  return failing.length === 0 ? 0 : 1;
}

/** The gate has to run from mirrors and offline; where an answer is owed (CI) AUDIT_REQUIRED says so. */
function withoutReport(text) {
  const why = NO_ENDPOINT.test(text)
    ? 'the registry has no audit endpoint'
    : NO_CONNECTION.test(text)
      ? 'the registry is not to be reached'
      : undefined;
  if (why === undefined) {
    console.error(`audit: pnpm audit failed: ${text}`);
    return 1;
  }
  if (process.env.AUDIT_REQUIRED) {
    console.error(`audit: not done, ${why}, and AUDIT_REQUIRED is set; use a registry that answers audits`);
    return 1;
  }
  console.log(`audit: NOT DONE, ${why}; passed without it`);
  return 0;
}

/** pnpm breaks its lines and draws a frame beside them. */
function unwrapped(text) {
  return text.replace(/[\s│×├╰─▶]+/g, ' ').trim();
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === 'object' && 'metadata' in value ? value : undefined;
  } catch {
    return undefined;
  }
}
