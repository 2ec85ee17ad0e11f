import { chromium } from 'playwright-core';

const [, , ...names] = process.argv;
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGS });
const sizes = { desk: { width: 1440, height: 900 }, phone: { width: 360, height: 740 } };
for (const theme of ['light', 'dark'])
  for (const [size, viewport] of Object.entries(sizes)) {
    const context = await browser.newContext({
      viewport,
      colorScheme: theme,
      deviceScaleFactor: size === 'phone' ? 2 : 1,
    });
    const page = await context.newPage();
    page.on('console', m => {
      if (['error', 'warning'].includes(m.type())) console.log(size, theme, m.type(), m.text());
    });
    page.on('pageerror', e => console.log('pageerror', e.stack));
    await page.goto('http://127.0.0.1:18431/#key=scripted-admin-key');
    await page.waitForTimeout(800);
    const shot = async (name, fullPage = false) => {
      if (!names.length || names.some(n => name.includes(n)))
        await page.screenshot({ path: `/tmp/shots/${name}-${size}-${theme}.png`, fullPage });
    };
    await shot('empty');
    if (!names.length || names.some(n => 'playground compare'.includes(n))) {
      await page.keyboard.press('/');
      await page.keyboard.type('Compare p50 and p95');
      await page.keyboard.press('Control+Enter');
      await page.waitForTimeout(900);
      await shot('playground-mid');
      await page.waitForTimeout(2500);
      await shot('playground');
      if (size === 'desk') {
        await page.getByLabel('Two models side by side').check();
        await page.keyboard.press('Escape');
        await page.getByLabel('Prompt', { exact: true }).fill('And now both of you');
        await page.keyboard.press('Control+Enter');
        await page.waitForTimeout(4500);
        await page.locator('summary').first().click();
        await page.waitForTimeout(200);
        await shot('compare');
      } else {
        await page.locator('.fold').click();
        await shot('settings');
        await page.locator('.fold').click();
      }
    }
    for (const view of ['live', 'requests', 'budgets']) {
      if (names.length && !names.some(n => view.includes(n))) continue;
      await page.evaluate(v => {
        location.hash = v;
      }, view);
      await page.waitForTimeout(1200);
      await shot(view, view === 'live');
      if (view === 'requests') {
        await page.locator('.calls a').nth(6).click();
        await page.waitForTimeout(400);
        await shot('requests-detail');
        await page.keyboard.press('Escape');
      }
      const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      if (wide[0] > wide[1]) console.log('WIDE', view, size, wide);
    }
    await context.close();
  }
await browser.close();
