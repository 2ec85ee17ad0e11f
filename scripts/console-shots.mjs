// `pnpm figures:console`: pictures of the console over the scripted gateway, docs/figures/console-{light,dark}.png.
import './run-sources.mjs';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, ensureInstalled, ROOT } from './workspace.mjs';

const THEMES = ['light', 'dark'];
const VIEWPORT = { width: 1_280, height: 740 };
/** Seconds of made-up traffic that the charts show already, and of traffic that is seen coming. */
const PAST_SECONDS = 290;
const LIVE_MS = 6_000;
const MOST_BYTES = 300 * 1_024;

await ensureInstalled();
await ensureBuilt();
const { startScriptedGateway } = await import('../apps/gateway/test/scripted-gateway/server.ts');
const { startBrowser } = await import('../apps/console/test/browser/launch.ts');

const gateway = await startScriptedGateway({ pastSeconds: PAST_SECONDS });
const browser = await startBrowser();
try {
  gateway.loadOn();
  for (const theme of THEMES) await shoot(theme);
} finally {
  await browser.close();
  await gateway.stop();
}

async function shoot(theme) {
  process.stderr.write(`the console, ${theme} …\n`);
  const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: theme });
  await page.goto(`${gateway.url}/#key=${gateway.adminKey}`);
  await page.getByRole('banner').getByRole('status').getByText('Connected').waitFor();
  // The view of what goes on now.
  await page.keyboard.press('2');
  await sleep(LIVE_MS);
  const file = join(ROOT, 'docs', 'figures', `console-${theme}.png`);
  await page.screenshot({ path: file });
  await page.close();
  const { size } = statSync(file);
  if (size > MOST_BYTES)
    throw new Error(`${file} has ${size} bytes; make VIEWPORT smaller, to ${MOST_BYTES} at most`);
  console.log(`written: ${file} (${Math.round(size / 1_024)} KiB)`);
}
