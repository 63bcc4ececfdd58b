import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { openPage, skip } from './chromium.ts';
import { runGait, untilAnswer } from './gait.ts';

describe('what people do about what was found', { skip, timeout: 300_000 }, () => {
  test('an incident is taken, commented, closed, opened again and taken away as a file; a suppression is looked at first; a decision by hand says who has taken it, and ends', async () => {
    const running = await runGait();
    await untilAnswer<{ incidents: { severity: string }[] }>(running, '/v1/incidents', ({ incidents }) =>
      incidents.some(({ severity }) => severity === 'critical'),
    );
    const { page, troubles } = await openPage(running.address);
    page.setDefaultTimeout(60_000);
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
    const say = async (title: string, fields: Readonly<Record<string, string>>, confirm: string) => {
      const dialog = page.getByRole('dialog', { name: title });
      for (const [label, text] of Object.entries(fields)) await dialog.getByRole('textbox', { name: label }).fill(text);
      await dialog.getByRole('button', { name: confirm, exact: true }).click();
      await dialog.waitFor({ state: 'hidden' });
    };
    await page.goto('/incidents');
    const queue = page.getByRole('region', { name: 'Incidents' }).getByRole('link');
    await queue.filter({ hasText: 'critical' }).first().click();
    await press('Take it');
    await page.getByRole('button', { name: 'Take it' }).waitFor({ state: 'detached' });
    await press('Comment…');
    await say('Comment', { Comment: 'asked <b>bert</b>' }, 'Say it');
    await page.getByRole('region', { name: 'Comments' }).getByText('asked <b>bert</b>').waitFor();
    const report = page.getByRole('link', { name: 'Report (HTML)' });
    const [file] = await Promise.all([page.waitForEvent('download'), report.click()]);
    assert.match(readFileSync(await file.path(), 'utf8'), /asked &lt;b&gt;bert&lt;\/b&gt;/);
    await press('Close…');
    await say('Close the incident', { Reason: 'a drill' }, 'Close it');
    await press('Open again…');
    await say('Open the incident again', { Reason: 'no drill' }, 'Open it');
    await page.getByRole('button', { name: 'Close…' }).waitFor();

    await page.goto('/detections');
    const suppressions = page.getByRole('region', { name: 'Suppressions' });
    await suppressions.getByRole('button', { name: 'Suppress…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Suppress' });
    await dialog.getByLabel(/^Identity/).fill('user:-:arn:aws:sts::*/aws-go-sdk-*');
    await dialog.getByRole('button', { name: 'What would it have hidden?' }).click();
    await dialog.getByText(/would have hidden 2 findings, 2 of them open/).waitFor();
    await say('Suppress', { Reason: 'our own exercise' }, 'Suppress');
    await suppressions.getByText('our own exercise').waitFor();

    await page.goto('/decisions');
    await press('Decide…');
    await say('Decide by hand', { Identity: 'user:acme:zoe', Reason: 'tries passwords' }, 'Yes, decide');
    const inForce = page.getByRole('region', { name: 'In force' });
    await inForce.getByText('zoe').first().waitFor();
    const zoe = inForce.getByRole('row').filter({ hasText: 'zoe' });
    await zoe.getByText('Points', { exact: true }).click();
    await zoe.getByText('No point has taken it, and no call has come since.').waitFor();
    await zoe.getByRole('button').click();
    await say('End this decision', { 'Reason, for the audit': 'was herself' }, 'Yes, end it');
    await inForce.getByText('zoe').waitFor({ state: 'detached' });
    assert.deepEqual(await troubles(), []);
  });
});
