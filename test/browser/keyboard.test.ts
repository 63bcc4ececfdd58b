import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { pages } from '../../src/dashboard/pages.ts';
import { createSite } from '../../src/dashboard/site.ts';
import type { HttpParts } from '../../src/http/parts.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { sampleParts, serve } from '../http/client.ts';
import { sampleFinding } from '../http/sample.ts';
import { openPage, skip, untilTrue } from './chromium.ts';

/** A real server over rows that are made here: what is asked is whether the page holds so many. */
const findingsCount = 50_000;
const last = Date.UTC(2026, 0, 31);
const rowOf = (i: number) => {
  const at = new Date(last - i * 1000).toISOString();
  const identity = `user:acme:user-${i}`;
  return sampleFinding({
    finding_id: `fnd_${i}`,
    identity,
    title: `user user-${i} is odd: number ${i}`,
    last_seen: at,
  });
};

async function start(t: TestContext): Promise<HttpServer> {
  const findings: HttpParts['queries']['findings'] = async ({ limit = 50, cursor = '0_0' }) => {
    const from = Number(cursor.split('_')[1]);
    const rows = Array.from({ length: Math.min(limit, findingsCount - from) }, (_, i) => rowOf(from + i));
    return { rows, next: from + limit < findingsCount ? `0_${from + limit}` : undefined };
  };
  const context = async (id: string) => {
    const finding = rowOf(Number(id.slice(4)));
    return { finding, events: [], similar: [], decisions: [], peers: { group: '', size: null } };
  };
  const parts = sampleParts();
  const server = await serve({
    ...parts,
    site: { ...createSite(), paths: Object.values(pages) },
    queries: { ...parts.queries, findings },
    pages: { ...parts.pages, context },
  });
  t.after(server.close);
  return server;
}

const focused = (page: Page): Promise<string> => page.evaluate('document.activeElement.innerText ?? ""');

describe('the keyboard and long lists', { skip, timeout: 240_000 }, () => {
  test('everything is reached by the keyboard alone, and the focus is seen', async (t) => {
    const { address } = await start(t);
    const { page } = await openPage(address);
    await page.goto('/findings');
    await page.getByText('number 0').waitFor();
    await page.keyboard.press('j');
    assert.match(await focused(page), /number 0/);
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    assert.match(await focused(page), /number 1\b/);
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    assert.equal(outline, 'solid');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/findings/fnd_1');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    // In a dialog the keys are the dialog's.
    await page.keyboard.press('g');
    await page.keyboard.press('d');
    assert.match(page.url(), /fnd_1$/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('f');
    await page.waitForURL('**/findings');
    // The address changes before the page is there, and nobody searches a page that he does not see.
    await page.getByText('number 0').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('user:acme:jgk');
    await page.waitForURL('**/findings?identity=user%3Aacme%3Ajgk');
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate('document.activeElement.tagName'), 'BODY');
    for (const [key, path] of Object.entries({
      o: '/',
      i: '/incidents',
      u: '/identities',
      d: '/decisions',
      t: '/detections',
      n: '/ingest',
      s: '/settings',
    })) {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await page.waitForURL(`${address}${path}`);
    }
    await page.goBack();
    await page.waitForURL('**/ingest');
    // Without a pointer: the first stop of the tabulator is the way past the navigation.
    await page.goto('/findings');
    await page.getByText('number 0').waitFor();
    await page.keyboard.press('Tab');
    assert.match(await focused(page), /Skip to the content/);
    await page.keyboard.press('Enter');
    await untilTrue(page, "document.activeElement.id === 'main'");
  });

  test(`${findingsCount} findings scroll smoothly to the last, with few of them in the page at any time`, async (t) => {
    const { address } = await start(t);
    const { page, troubles } = await openPage(address);
    await page.goto('/findings');
    await page.getByText('number 0').waitFor();
    const measured = await scrollThrough(page);
    await page.getByText(`number ${findingsCount - 1}`).waitFor();
    const shown = `${measured.steps} steps of four screens, ${measured.cpuMs.toFixed(1)} ms of CPU each; ${measured.rowsMax} rows in the page at most`;
    t.diagnostic(shown);
    assert.equal(await page.getByRole('status').filter({ hasText: 'findings' }).textContent(), '50,000 findings');
    assert.ok(measured.rowsMax < 60, shown);
    // A frame of a screen with 60 Hz is 16.7 ms, and in each of these every row is new.
    assert.ok(measured.cpuMs < 16.7, shown);
    assert.deepEqual(await troubles(), []);
  });
});

type Scrolled = { readonly steps: number; readonly rowsMax: number; readonly cpuMs: number };

/** What a page asks of the browser. Painting without a graphics card, as here, is not among it. */
const ours = ['ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'];

/** CPU time of the page's own thread, so that the figure means the same on a busy machine. */
async function scrollThrough(page: Page): Promise<Scrolled> {
  const debug = await page.context().newCDPSession(page);
  await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
  const seconds = async (): Promise<number> => {
    const { metrics } = await debug.send('Performance.getMetrics');
    return metrics.filter(({ name }) => ours.includes(name)).reduce((sum, { value }) => sum + value, 0);
  };
  const before = await seconds();
  const { steps, rowsMax } = (await page.evaluate(toTheEnd)) as { steps: number; rowsMax: number };
  return { steps, rowsMax, cpuMs: (1000 * ((await seconds()) - before)) / steps };
}

/** Runs in the page: four screens at a time until nothing comes any more, a frame for each step. */
const toTheEnd = `(async () => {
  const box = document.querySelector('.list');
  let rowsMax = 0;
  let steps = 0;
  for (let still = 0; still < 100; ) {
    const { scrollTop } = box;
    box.scrollTop += 4 * box.clientHeight;
    await new Promise(requestAnimationFrame);
    rowsMax = Math.max(rowsMax, box.querySelectorAll('li').length);
    if (box.scrollTop !== scrollTop) {
      steps++;
      still = 0;
    } else if (box.ariaBusy !== 'true') {
      still++;
    }
  }
  return { steps, rowsMax };
})()`;
