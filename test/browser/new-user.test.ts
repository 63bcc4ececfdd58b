import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gait as gaitCommand } from '../command/gait-command.ts';
import { axeTroubles, isLoaded, openPage, skip, widths } from './chromium.ts';
import { type Running, runGait, untilAnswer } from './gait.ts';

type Incidents = { readonly incidents: readonly { readonly incident_id: string; readonly severity: string }[] };

/** With the sample playing, from the page alone. The attacker of the recording is this user, by way of stolen keys. */
const attacker = 'user/bert-jan';
/** Not an attack: a service that turns secrets over. */
const harmless = 'secretsmanager.amazonaws.com';
const withinMs = 60_000;

describe('a new user with the sample', { skip, timeout: 500_000 }, () => {
  const gait = skip === false ? runGait() : undefined;

  test('finds who attacked, what they touched, why it was flagged and what was done, from the page alone', async () => {
    const running = await gait!;
    // Gait has just begun: for a moment its store may be away.
    const { page, troubles } = await openPage(running.address, { expected: /503/ });
    page.setDefaultTimeout(withinMs);
    await page.goto('/');
    await page.getByText('This is the bundled sample').waitFor();
    // It appears by itself while the sample plays: nobody loads the page again.
    const worst = page.getByRole('region', { name: 'Needs a look' }).getByRole('link').filter({ hasText: 'critical' });
    await worst.filter({ hasText: attacker }).first().click();
    // Who, and in which order.
    await page.getByRole('heading', { level: 1 }).filter({ hasText: attacker }).waitFor();
    const findings = page.getByRole('region', { name: 'Findings' }).getByRole('link');
    await findings.filter({ hasText: 'is refused or fails' }).first().click();
    const why = page.getByRole('region', { name: 'Why' });
    await why.getByRole('listitem').first().waitFor();
    assert.ok(
      (await why.getByRole('img', { name: /^observed .* usual / }).count()) >= 1,
      'seen against usual is drawn',
    );
    assert.match(String(await why.textContent()), /compared with (its own past|its peers|everyone)/);
    // What they touched: the calls, the odd ones marked, and one of them in full.
    const calls = page.getByRole('region', { name: 'Calls' });
    const odd = calls.getByRole('button');
    await odd.first().waitFor();
    assert.match(String(await odd.first().textContent()), /[a-z-]+:[A-Z]\w+/);
    await odd.first().click();
    await calls.getByText('user_agent').waitFor();
    // What was done, and what each rule said.
    const done = page.getByRole('region', { name: 'What was done' });
    await done.getByText('would').first().waitFor();
    assert.match(String(await done.textContent()), /would (step-up|throttle|notify)/);
    await done.getByText('What each rule said').click();
    await done.getByText('holds, and is the first that does').waitFor();
    assert.deepEqual(await troubles(), []);
    await page.context().close();
  });

  test('every page is usable by a screen reader, fits at three widths, in light and dark', async (t) => {
    const running = await gait!;
    const { incidents } = await untilAnswer<Incidents>(running, '/v1/incidents?state=open', (answer) =>
      answer.incidents.some(({ severity }) => severity === 'critical'),
    );
    const incident = incidents.find(({ severity }) => severity === 'critical')!.incident_id;
    const { findings } = await untilAnswer<{ findings: { finding_id: string; identity: string }[] }>(
      running,
      '/v1/findings',
      () => true,
    );
    const { finding_id, identity } = findings[0]!;
    const paths = [
      '/',
      '/incidents',
      `/incidents/${incident}`,
      '/findings',
      `/findings/${finding_id}`,
      '/identities',
      `/identities/${encodeURIComponent(identity)}`,
      '/decisions',
      '/detections',
      '/ingest',
      '/settings',
    ];
    // Dark differs by its colours alone, so one width tells all of it.
    const looks = [...Object.keys(widths).map((name) => [name, 'light']), ['laptop', 'dark']] as [
      keyof typeof widths,
      'light' | 'dark',
    ][];
    for (const [name, colorScheme] of looks) {
      const viewport = widths[name];
      const { page, context, troubles } = await openPage(running.address, { viewport, colorScheme });
      page.setDefaultTimeout(withinMs);
      for (const path of paths) {
        await page.goto(path);
        await isLoaded(page);
        const label = `${path} ${name} ${colorScheme}`;
        const overflow = await page.evaluate('document.scrollingElement.scrollWidth - innerWidth');
        assert.ok(Number(overflow) <= 0, `${label} is ${overflow} pixels too wide`);
        assert.deepEqual(await axeTroubles(page), [], label);
      }
      assert.deepEqual(await troubles(), [], `${name} ${colorScheme}`);
      await context.close();
    }
    t.diagnostic(`${paths.length} pages, ${Object.keys(widths).length} widths, light and dark`);
  });

  test('calls a finding false, sees it leave the queue and the effect on a replay, and can take it back', async () => {
    const running = await gait!;
    // Gait has just begun: for a moment its store may be away.
    const { page, troubles } = await openPage(running.address, { expected: /503/ });
    page.setDefaultTimeout(withinMs);
    await page.goto('/incidents');
    const queued = page.getByRole('region', { name: 'Incidents' }).getByRole('link').filter({ hasText: harmless });
    await queued.click();
    await page.getByRole('region', { name: 'Findings' }).getByRole('link').first().click();
    await page.getByRole('button', { name: 'False positive' }).click();
    const dialog = page.getByRole('dialog', { name: 'It is nothing' });
    await dialog.getByLabel('Learn it for').selectOption('identity');
    assert.deepEqual(await axeTroubles(page), []);
    await dialog.getByRole('button', { name: 'It is false' }).click();
    await page.getByText('Said.').waitFor();
    // Escape goes up: to the incident, to the queue.
    await page.keyboard.press('g');
    await page.keyboard.press('i');
    await page.getByText(attacker).first().waitFor();
    await queued.waitFor({ state: 'detached' });
    await page.goto('/detections');
    const row = page.getByRole('row', { name: /^Mass change/ });
    await row.waitFor();
    await page
      .getByRole('row', { name: new RegExp(harmless) })
      .getByText('learned from a verdict')
      .waitFor();
    // The same traffic once more: what was called false is suppressed, everything else is found as before.
    const before = await replayed(running);
    const suppressions = await (await fetch(`${running.address}/v1/suppressions`)).text();
    const after = await replayed(running, suppressions);
    const stateOf = (rows: readonly Replayed[]) =>
      rows.map(({ identity, kind, state }) => `${kind} ${identity} ${state}`);
    assert.deepEqual(
      stateOf(after),
      stateOf(before).map((row) =>
        row.startsWith(`mass_change client:-:${harmless}`) ? row.replace(/open$/, 'suppressed') : row,
      ),
    );
    assert.notDeepEqual(stateOf(after), stateOf(before));
    // What is taken back is in the queue again.
    await page.goto('/findings?kind=mass_change');
    await page.getByRole('link').filter({ hasText: harmless }).first().click();
    await page.getByRole('button', { name: 'take back' }).click();
    await page.goto('/incidents');
    await queued.waitFor();
    assert.deepEqual(await troubles(), []);
  });
});

type Replayed = { readonly identity: string; readonly kind: string; readonly state: string };

const sample = join(import.meta.dirname, '../../../pipelines/sample/cloudtrail-attack.jsonl.gz');

/** The findings of `gait replay` over the sample, with what people said of an earlier run. */
async function replayed({ folder }: Running, suppressions?: string): Promise<readonly Replayed[]> {
  const findings = join(folder, 'replayed.jsonl');
  const feedback = join(folder, 'feedback.json');
  if (suppressions !== undefined) writeFileSync(feedback, suppressions);
  const said = suppressions === undefined ? [] : ['--feedback', feedback];
  const { code, stderr } = await gaitCommand(['replay', sample, '--findings', findings, ...said], { cwd: folder });
  assert.equal(code, 0, stderr);
  const rows = readFileSync(findings, 'utf8').trim().split('\n');
  return rows
    .map((line) => JSON.parse(line) as Replayed)
    .sort((a, b) => (a.identity + a.kind < b.identity + b.kind ? -1 : 1));
}
