import { describe, expect, it } from 'vitest';
import { type ScriptedGateway, startScriptedGateway } from '../../../gateway/test/scripted-gateway/server.ts';
import { barriersOf, screenshot } from './browser.ts';
import { answered, answers, ask, describeConsole, prompt, useConsole } from './console-suite.ts';
import type { Target } from './target.ts';

async function start(): Promise<Target & { userKey: string }> {
  let gateway: ScriptedGateway = await startScriptedGateway({ pastSeconds: 240 });
  const { url, adminKey, userKey } = gateway;
  return {
    ...{ baseUrl: url, adminKey, userKey },
    ...{ models: ['pilot', 'smart'], node: 'gpu-2', hasBudgets: true },
    actions: {
      loadOn: () => gateway.loadOn(),
      loadOff: () => gateway.loadOff(),
      nodeDown: () => gateway.nodeDown(),
      nodeUp: () => gateway.nodeUp(),
      goDown: () => gateway.stop(),
      comeBack: async () => {
        gateway = await startScriptedGateway({ port: Number(new URL(url).port) });
      },
    },
    stop: () => gateway.stop(),
  };
}

describeConsole('a scripted gateway', start);

describe('the playground', () => {
  let userKey = '';
  const { open } = useConsole(async () => {
    const target = await start();
    userKey = target.userKey;
    return target;
  });
  const withModel = async (model: string, expected?: RegExp) => {
    const page = await open(expected ? { expected } : {});
    await page.getByLabel('Model', { exact: true }).selectOption(model);
    return page;
  };

  it('folds thoughts, and runs nothing that a model writes', async () => {
    const page = await withModel('smart');
    await ask(page, 'Think');
    await answered(page);
    const answer = answers(page).first();
    const thoughts = answer.getByText('I will name both percentiles');
    expect(await thoughts.isVisible()).toBe(false);
    await answer.getByText('Thoughts').click();
    expect(await thoughts.isVisible()).toBe(true);
    expect(await answer.locator('script, img').count()).toBe(0);
    expect(await answer.textContent()).toContain('<script>alert(1)</script>');
    const link = answer.getByRole('link', { name: 'limits' });
    expect(await link.getAttribute('rel')).toBe('noopener noreferrer');
    expect(await answer.getByRole('table').count()).toBe(1);
    expect(await barriersOf(page)).toEqual([]);
  });

  it('shows the cost by the list of prices, then by what the gateway says', async () => {
    const page = await withModel('smart');
    await ask(page, 'Count');
    const figures = answers(page).first().locator('.figures');
    await expect.poll(() => figures.textContent()).toMatch(/Tokens≈ \d+ → \d+Cost≈ \$0\.00/);
    await answered(page);
    await expect.poll(() => figures.textContent()).toMatch(/Tokens\d+ → \d+Cost\$0\.00/);
  });

  it('shows calls of tools, and what is wrong with their list', async () => {
    const page = await withModel('pilot');
    const tools = page.getByLabel('Tools (JSON)');
    await tools.fill('[{"name":"weather"}]');
    await prompt(page).fill('What will it be?');
    expect(await page.getByText('Tool 1 has no function.name').count()).toBe(1);
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    await tools.fill('[{"type":"function","function":{"name":"weather"}}]');
    await ask(page, 'What will it be?');
    await answered(page);
    expect(await answers(page).first().locator('.tool-call').textContent()).toMatch(
      /weather.*"city": "Lisbon"/s,
    );
    await screenshot(page, 'playground-tool-call');
  });

  it('shows an answer that breaks off as broken, with what had come', async () => {
    const page = await withModel('breaks');
    await ask(page, 'Go on');
    await answered(page);
    const answer = answers(page).first();
    expect(await answer.getByRole('alert').textContent()).toContain('provider openai closed the connection');
    expect(await answer.textContent()).toMatch(/Failed.*Two figures/s);
    await screenshot(page, 'playground-broken-off');
  });

  it('shows why a call was refused', async () => {
    const page = await withModel('refuses', /429/);
    await ask(page, 'Once more');
    await answered(page);
    expect(await answers(page).first().getByRole('alert').textContent()).toContain(
      'has used its 5 requests a minute',
    );
  });

  it('is all there is for a key that is no admin’s', async () => {
    const page = await open({ key: userKey, expected: /403/ });
    await expect
      .poll(() => page.getByRole('navigation').getByRole('link').allTextContents())
      .toEqual(['Playground']);
    await page.getByLabel('Model', { exact: true }).selectOption('fast');
    await ask(page, 'May I?');
    await answered(page);
    expect(await answers(page).first().textContent()).toContain('Two figures');
    await screenshot(page, 'playground-only');
  });

  it('is not there for a key that nobody has', async () => {
    const page = await open({ key: 'made-up', expected: /401/ });
    await expect.poll(() => page.getByRole('alert').textContent()).toContain('does not know this key');
    await screenshot(page, 'sign-in');
    expect(await barriersOf(page)).toEqual([]);
  });
});
