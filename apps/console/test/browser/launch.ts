// The browser, for tests and for whoever takes pictures of the console.
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core';
import { ensureChromium } from '../../../../scripts/chromium.mjs';

/** Without them it asks hosts of its maker's for this and that. */
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

export const DESKTOP: BrowserContextOptions = { viewport: { width: 1440, height: 900 } };
export async function startBrowser(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', ...QUIET];
  return chromium.launch({ executablePath: await ensureChromium(), args });
}
