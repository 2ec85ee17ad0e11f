import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { barriersOf, complaintsOf, overflowOf, PHONE, screenshot } from './browser.ts';
import { DESKTOP, startBrowser } from './launch.ts';
import type { Target } from './target.ts';

const SOON = { timeout: 10_000 };
const VIEWS = ['playground', 'live', 'requests', 'budgets'] as const;
const THEMES = ['light', 'dark'] as const;

/** How a test gets at the console. */
export interface ConsoleFixture {
  target(): Target;
  /** A page of its own, signed in. What it complains of fails the test, unless it is expected. */
  open(options?: BrowserContextOptions & { key?: string; expected?: RegExp }): Promise<Page>;
}

/** Starts the gateway and the browser for the tests of a file. */
export function useConsole(start: () => Promise<Target>): ConsoleFixture {
  let browser: Browser;
  let target: Target;
  const opened: { page: Page; complaints: string[]; expected: RegExp | undefined }[] = [];
  beforeAll(async () => {
    [browser, target] = await Promise.all([startBrowser(), start()]);
  });
  afterAll(async () => {
    await browser?.close();
    await target?.stop();
  });
  afterEach(async () => {
    const all = opened.splice(0);
    await Promise.all(all.map(({ page }) => page.context().close()));
    const unexpected = all.flatMap(({ complaints, expected }) =>
      complaints.filter(text => !expected?.test(text)),
    );
    expect(unexpected).toEqual([]);
  });
  return {
    target: () => target,
    open: async ({ key, expected, ...options } = {}) => {
      const context = await browser.newContext({ ...DESKTOP, ...options });
      const page = await context.newPage();
      opened.push({ page, complaints: complaintsOf(page), expected });
      await page.goto(`${target.baseUrl}/#key=${key ?? target.adminKey}`);
      return page;
    },
  };
}

export const prompt = (page: Page) => page.getByLabel('Prompt', { exact: true });
export const answers = (page: Page) => page.getByRole('article');
const connection = (page: Page) => page.getByRole('banner').getByRole('status');
const chart = (page: Page, title: string) => page.getByRole('img', { name: title });
const isConnected = (page: Page) => expect.poll(() => connection(page).textContent(), SOON).toBe('Connected');

/** By its key, as soon as the page listens. */
async function show(page: Page, key: string): Promise<void> {
  await isConnected(page);
  await page.keyboard.press(key);
}

export async function ask(page: Page, text: string): Promise<void> {
  await prompt(page).fill(text);
  await prompt(page).press('Control+Enter');
}

/** Resolves when no answer is under way. */
export async function answered(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Send' }).waitFor({ timeout: 30_000 });
}

/** What the console has to do, whichever gateway it stands on. */
export function describeConsole(name: string, start: () => Promise<Target>): void {
  describe(`the console of ${name}`, () => {
    const fixture = useConsole(start);
    testsOfPlayground(fixture);
    testsOfViews(fixture);
    testsOfConnection(fixture);
    testsOfReach(fixture);
  });
}

function testsOfPlayground({ open, target }: ConsoleFixture): void {
  it('streams an answer, counts as it comes, and leads to the call in the log', async () => {
    const page = await open();
    await page.getByLabel('Model', { exact: true }).selectOption(target().models[0]);
    await ask(page, 'Tell me about p95');
    const answer = answers(page).first();
    const length = async () => ((await answer.locator('.markdown').last().textContent()) ?? '').length;
    await answer.locator('.markdown').last().waitFor();
    const early = await length();
    await screenshot(page, 'playground-streaming');
    await expect.poll(length, SOON).toBeGreaterThan(early);
    await answered(page);
    const figures = answer.locator('.figures');
    await expect
      .poll(() => figures.textContent())
      .toMatch(/First token[\d.]+ m?s.*tok\/s.*Tokens\d+ → \d+.*Cost\$/);
    await answer.getByRole('link', { name: 'Request' }).click();
    await expect.poll(() => page.locator('.detail .gantt').textContent(), SOON).toContain('ok');
  });

  it('stops an answer by the button or by Escape', async () => {
    const page = await open();
    await page.getByLabel('Model', { exact: true }).selectOption(target().models[0]);
    for (const stop of [
      () => page.getByRole('button', { name: 'Stop' }).click(),
      () => page.keyboard.press('Escape'),
    ]) {
      await ask(page, 'Begin');
      const answer = answers(page).last();
      await answer.locator('.markdown').last().waitFor();
      await stop();
      await answered(page);
      await expect.poll(() => answer.textContent()).toContain('Stopped');
    }
    expect(await answers(page).count()).toBe(2);
  });

  it('asks two models side by side', async () => {
    const page = await open();
    const [first, second] = target().models;
    await page.getByLabel('Model', { exact: true }).selectOption(first);
    await page.getByLabel('Two models side by side').check();
    await page.getByLabel('Second model').selectOption(second);
    await ask(page, 'Both of you');
    await answered(page);
    const boxes = await Promise.all((await answers(page).all()).map(answer => answer.boundingBox()));
    expect(await answers(page).getByRole('heading', { level: 2 }).allTextContents()).toEqual([first, second]);
    expect(boxes[0]?.y).toBe(boxes[1]?.y);
    await screenshot(page, 'playground-two-models');
  });
}

function testsOfViews({ open, target }: ConsoleFixture): void {
  it('has charts that move under load', async () => {
    const page = await open();
    await show(page, '2');
    const drawn = () =>
      page
        .locator('.chart canvas')
        .first()
        .evaluate(canvas => (canvas as HTMLCanvasElement).toDataURL());
    await chart(page, 'Requests per second').waitFor();
    await target().actions.loadOn();
    try {
      await expect
        .poll(() => chart(page, 'Requests per second').getAttribute('aria-label'), SOON)
        .toMatch(/requests (?!0$)/);
      const before = await drawn();
      await expect.poll(drawn, SOON).not.toBe(before);
      await screenshot(page, 'live-under-load');
    } finally {
      await target().actions.loadOff();
    }
  });

  it('shows a node that goes down and comes back', { timeout: 90_000 }, async () => {
    const page = await open();
    await show(page, '2');
    const card = page.locator(`[data-node="${target().node}"]`);
    const state = () => card.locator('.badge').textContent();
    await expect.poll(state, SOON).toBe('Takes calls');
    await target().actions.nodeDown();
    try {
      await expect.poll(state, { timeout: 30_000 }).toBe('Out');
      await screenshot(page, 'live-node-out');
    } finally {
      await target().actions.nodeUp();
    }
    await expect.poll(state, { timeout: 30_000 }).toBe('Takes calls');
  });

  it('lists calls, finds them, and shows the time line of one', async () => {
    const page = await open();
    await page.getByLabel('Model', { exact: true }).selectOption(target().models[0]);
    await ask(page, 'One for the log');
    await answered(page);
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'Requests' }).click();
    await page.keyboard.press('/');
    await page.keyboard.type(`model:${target().models[0]} state:succeeded`);
    const rows = page.locator('.calls tbody tr');
    await expect.poll(() => rows.first().textContent(), SOON).toContain(target().models[0]);
    await page.getByRole('searchbox').fill('nothing-is-called-this');
    await expect.poll(() => page.getByText('No call fits the search.').count()).toBe(1);
    await page.getByRole('searchbox').fill('');
    await rows.first().waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const detail = page.getByRole('complementary');
    await expect.poll(() => detail.locator('.gantt li').count(), SOON).toBeGreaterThan(0);
    await screenshot(page, 'requests-detail');
    await page.keyboard.press('Escape');
    await expect.poll(() => detail.count()).toBe(0);
  });

  it('shows what is left of each budget', async () => {
    const page = await open();
    await show(page, '4');
    await page.getByRole('heading', { name: 'Keys and budgets' }).waitFor();
    if (!target().hasBudgets) return;
    const card = page.locator('.budget').first();
    await expect.poll(() => card.textContent(), SOON).toMatch(/% used.*left of.*Resets in/);
    await card.getByRole('img', { name: /left with .* of the time to go/ }).waitFor();
  });
}

function testsOfConnection({ open, target }: ConsoleFixture): void {
  it('takes the key out of the address, and keeps it for the tab', async () => {
    const page = await open();
    await isConnected(page);
    expect(page.url()).not.toContain(target().adminKey);
    await page.reload();
    await isConnected(page);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Key').fill(target().adminKey);
    await page.getByRole('button', { name: 'Open the console' }).click();
    await isConnected(page);
  });

  it('connects again by itself when the gateway has been away', { timeout: 90_000 }, async () => {
    // The browser itself writes of each connection that is refused.
    const page = await open({ expected: /ERR_|Failed to load resource/ });
    await show(page, '2');
    await target().actions.goDown();
    await expect.poll(() => connection(page).textContent(), SOON).toBe('Reconnecting');
    await screenshot(page, 'reconnecting');
    await target().actions.comeBack();
    await expect.poll(() => connection(page).textContent(), { timeout: 30_000 }).toBe('Connected');
    await chart(page, 'Requests per second').waitFor();
  });
}

function testsOfReach({ open, target }: ConsoleFixture): void {
  it('has the theme of the device, or the one that was chosen', async () => {
    const page = await open({ colorScheme: 'dark' });
    const background = () =>
      page.evaluate(() => getComputedStyle(document.body.parentElement ?? document.body).backgroundColor);
    const dark = await background();
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(background).not.toBe(dark);
    const light = await background();
    const theme = page.getByRole('button', { name: /^Theme/ });
    await theme.click();
    await theme.click();
    await expect.poll(background).toBe(dark);
    await page.reload();
    await theme.waitFor();
    await expect.poll(background).toBe(dark);
    await theme.click();
    await expect.poll(background).toBe(light);
  });

  it('can be used without a pointer', async () => {
    const page = await open();
    await isConnected(page);
    await page.keyboard.press('/');
    await page.keyboard.type('By hand');
    await page.keyboard.press('Control+Enter');
    await answered(page);
    // Out of the field, so that keys are no letters.
    await page.keyboard.press('Tab');
    for (const [key, title] of [
      ['2', 'Live'],
      ['3', 'Requests'],
      ['4', 'Keys and budgets'],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole('heading', { level: 1, name: title }).waitFor();
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('1');
    await page.keyboard.press('Tab');
    const ring = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement ?? document.body);
      return `${outlineStyle} ${outlineWidth}`;
    });
    expect(ring).toBe('solid 2px');
  });

  it.each(THEMES)('bars nobody, and fits a phone: %s', { timeout: 120_000 }, async colorScheme => {
    await target().actions.loadOn();
    try {
      for (const [size, options] of [
        ['desktop', DESKTOP],
        ['phone', PHONE],
      ] as const) {
        const page = await open({ ...options, colorScheme });
        await isConnected(page);
        await ask(page, 'Compare p50 and p95');
        await answered(page);
        for (const view of VIEWS) {
          await page.goto(`${target().baseUrl}/#${view}`);
          if (view === 'requests') await page.locator('.calls tbody tr').nth(1).click();
          // Samples come once a second.
          await page.waitForTimeout(1500);
          await screenshot(page, `${view}-${size}-${colorScheme}`);
          expect(await barriersOf(page), `${view} on a ${size}`).toEqual([]);
          expect(await overflowOf(page), `${view} on a ${size}`).toBeLessThanOrEqual(0);
        }
      }
    } finally {
      await target().actions.loadOff();
    }
  });
}
