import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { problemsOfSite } from '../../scripts/docs/site.mjs';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airframe-site-'));
  mkdirSync(join(folder, 'concepts'));
  writeFileSync(
    join(folder, 'index.html'),
    '<h2 id="start">Start</h2><a href="/concepts/events.html">Events</a>',
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

const page = (...hrefs: string[]) =>
  writeFileSync(
    join(folder, 'concepts/events.html'),
    `<h2 id="order">Order</h2>${hrefs.map(href => `<a href="${href}">x</a>`).join('')}`,
  );

it('lets links pass that lead to pages and anchors of the built site', () => {
  page('/', '/#start', '#order', '../index.html#start', 'events#order', 'https://example.com/#x');
  expect(problemsOfSite(folder)).toEqual([]);
});

it('names each link of the built site that leads nowhere', () => {
  page('/nosuch', '#nosuch', '/#nosuch');
  expect(problemsOfSite(folder)).toEqual([
    'concepts/events.html: /nosuch leads to no page',
    'concepts/events.html: #nosuch leads to no anchor',
    'concepts/events.html: /#nosuch leads to no anchor',
  ]);
});
