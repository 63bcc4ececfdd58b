import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { hostileLines, hostileTexts } from '../hostile/corpus.ts';
import { isLoaded, openPage, skip } from './chromium.ts';
import { type Running, runGait, untilAnswer } from './gait.ts';

/** Sent in parts that a server takes at once. */
const linesPerRequest = 2000;
/** Enough of what stands in the store that each text is met in several fields; each costs a page. */
const findingsOpened = 120;
const identitiesOpened = 40;

type Findings = {
  readonly findings: readonly {
    readonly finding_id: string;
    readonly incident_id: string;
    readonly identity: string;
  }[];
};

/** What is not seen but changes what is seen; a page may hold none of it as text, title or label. */
const unseen = String.raw`/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u`;
/** Elements that no page of ours has, and attributes that no element of ours has: markup would be needed to make one. */
const foreign =
  'script:not([src^="/assets/"]), iframe, object, embed, img, base, meta[http-equiv], form[action], math, style, audio, video, template, [onload], [onerror], [onclick], [onfocus], [ontoggle], [onbegin], a[href^="javascript" i], a[href^="data" i], marquee, animate, frame, link:not([href^="/assets/"])';

/** Runs in the page: what is there that an attacker put there. */
const inspect = `(() => {
  const troubles = [...document.querySelectorAll(${JSON.stringify(foreign)})].map((found) => 'element ' + found.outerHTML.slice(0, 200));
  const texts = document.createTreeWalker(document.querySelector('#app'), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) if (${unseen}.test(texts.currentNode.data)) troubles.push('text ' + JSON.stringify(texts.currentNode.data).slice(0, 200));
  for (const element of document.body.querySelectorAll('[title], [aria-label]'))
    for (const name of ['title', 'aria-label'])
      if (${unseen}.test(element.getAttribute(name) ?? '')) troubles.push(name + ' ' + JSON.stringify(element.getAttribute(name)).slice(0, 200));
  return troubles;
})()`;

async function send({ address }: Running, lines: readonly string[]): Promise<void> {
  for (let at = 0; at < lines.length; at += linesPerRequest) {
    const body = `${lines.slice(at, at + linesPerRequest).join('\n')}\n`;
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await fetch(`${address}/v1/events`, { method: 'POST', headers, body });
    assert.equal(answer.status, 202);
  }
}

async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await isLoaded(page);
  assert.deepEqual(await page.evaluate(inspect), [], path);
}

describe('what an attacker writes', { skip, timeout: 580_000 }, () => {
  test('into any field of an event is text on every page: nothing runs, nothing is asked elsewhere, nothing hides', async (t) => {
    const running = await runGait({ detect: { findingsPer1000PerDay: 1000 }, sources: [] });
    const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000;
    await send(running, hostileLines(midnight - 9 * 86_400_000));
    const { findings } = await untilAnswer<Findings>(
      running,
      '/v1/findings?limit=500',
      (answer) => answer.findings.length > 200,
    );
    const { page, troubles } = await openPage(running.address);
    page.setDefaultTimeout(60_000);
    for (const path of [
      '/',
      '/incidents',
      '/findings',
      '/identities',
      '/decisions',
      '/detections',
      '/ingest',
      '/settings',
    ])
      await visit(page, path);
    for (const { finding_id } of findings.slice(0, findingsOpened)) await visit(page, `/findings/${finding_id}`);
    const incidents = [...new Set(findings.map(({ incident_id }) => incident_id))].slice(0, identitiesOpened);
    for (const incident of incidents) await visit(page, `/incidents/${incident}`);
    const identities = [...new Set(findings.map(({ identity }) => identity))].slice(0, identitiesOpened);
    for (const identity of identities) await visit(page, `/identities/${encodeURIComponent(identity)}`);
    // As somebody would who clicks: a hostile identity's own link leads to its page, and a call shows all of its fields.
    await visit(page, `/findings/${findings[0]!.finding_id}`);
    for (const call of await page.getByRole('region', { name: 'Calls' }).getByRole('button').all()) {
      await call.click();
      assert.deepEqual(await page.evaluate(inspect), []);
    }
    await page.getByRole('heading', { level: 1 }).getByRole('link').click();
    await page.waitForURL('**/identities/**');
    assert.deepEqual(await troubles(), []);
    t.diagnostic(`${findings.length} findings, ${identities.length} identities opened, ${hostileTexts.length} texts`);
  });

  test('into the address bar or the search is text too', async () => {
    const running = await runGait({ sources: [] });
    await untilAnswer<Findings>(running, '/v1/findings', () => true);
    const { page, troubles } = await openPage(running.address, { expected: /40\d/ });
    for (const { text } of hostileTexts.filter((each) => each.against === 'page')) {
      const id = encodeURIComponent(text);
      for (const path of [`/findings?identity=${id}`, `/incidents?q=${id}&state=${id}`, `/identities/${id}`]) {
        await page.goto(path);
        await page.locator('main').first().waitFor();
        assert.deepEqual(await page.evaluate(inspect), [], path);
      }
    }
    assert.deepEqual(await troubles(), []);
  });
});
