import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pages } from '../../src/dashboard/pages.ts';
import { createSite } from '../../src/dashboard/site.ts';
import type { Live, LiveMessage } from '../../src/http/page-parts.ts';
import type { Order } from '../../src/http/parts.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { apiKey, sampleParts, serve } from '../http/client.ts';
import { sampleFinding } from '../http/sample.ts';
import { axeTroubles, openPage, skip, untilTrue } from './chromium.ts';

const site = { ...createSite(), paths: Object.values(pages) };

describe('who reads, and what happens while somebody reads', { skip, timeout: 200_000 }, () => {
  test('a key is asked for once; an analyst sees and cannot decide, an administrator decides after a confirmation', async (t) => {
    const orders: Order[] = [];
    const order = async (said: Order): Promise<string> => {
      orders.push(said);
      return 'ntc_00000000';
    };
    const keys = [apiKey('an-analyst', 'analyst'), apiKey('an-admin', 'admin')];
    const server = await serve(sampleParts({ site, order }), { keys });
    t.after(server.close);
    const { page, context } = await openPage(server.address);
    await page.goto('/decisions');
    const field = page.getByLabel('API key');
    await field.fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    assert.deepEqual(await axeTroubles(page), []);
    await field.fill('an-analyst');
    await page.keyboard.press('Enter');
    await page.getByText('an unusual rate').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Decide…' }).count(), 0);
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite], [true, 'Strict']);
    await page.reload();
    await page.getByText('an unusual rate').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await field.fill('an-admin');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Decide…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Decide by hand' });
    await dialog.getByRole('textbox', { name: 'Identity' }).fill('user:acme:zoe');
    await dialog.getByRole('combobox', { name: 'Action' }).selectOption('throttle');
    await dialog.getByRole('combobox', { name: 'For' }).selectOption('1h');
    await dialog.getByText('Enforces throttle for 1 hour on user:acme:zoe').waitFor();
    assert.deepEqual(await axeTroubles(page), []);
    await dialog.getByRole('button', { name: 'Yes, decide' }).click();
    assert.deepEqual(orders, [], 'a reason is needed');
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('tries passwords');
    await dialog.getByRole('button', { name: 'Yes, decide' }).click();
    await dialog.waitFor({ state: 'hidden' });
    const [said] = orders as readonly object[];
    const expected = { identity: 'user:acme:zoe', action: 'throttle', ttl_ms: 3_600_000, mode: 'enforce' };
    assert.deepEqual({ ...said, ...expected, reason: 'tries passwords', by: 'an-admin' }, said);
  });

  test('what is found appears by itself, and goes on appearing when the connection was cut and the server started anew', async () => {
    const listeners = new Set<Parameters<Live['listen']>[1]>();
    const live: Live = {
      listen: (_, listener) => {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
    let rows = [sampleFinding({ finding_id: 'fnd_1', title: 'user zoe is the first' })];
    const parts = sampleParts({ site, live });
    const findings = async () => ({ rows, next: undefined });
    const served = { ...parts, queries: { ...parts.queries, findings } };
    const tell = (message: LiveMessage): void => {
      for (const listener of listeners) listener.tell(message);
    };
    let server = await serve(served);
    const port = Number(new URL(server.address).port);
    const { page, context } = await openPage(server.address);
    page.setDefaultTimeout(60_000);
    await page.goto('/findings');
    await page.getByText('Is the first').waitFor();
    await untilTrue(page, "document.querySelector('.live.live') !== null");
    rows = [sampleFinding({ finding_id: 'fnd_2', title: 'user zoe is the second' }), ...rows];
    tell({ id: 'a-1', event: 'finding', data: '{}' });
    await page.getByText('Is the second').waitFor();
    await closed(server, listeners);
    await page.getByText('not live').waitFor();
    rows = [sampleFinding({ finding_id: 'fnd_3', title: 'user zoe is the third' }), ...rows];
    server = await serve(served, { port });
    await page.getByText('Is the third').waitFor();
    await untilTrue(page, "document.querySelector('.live.live') !== null");
    await context.close();
    await closed(server, listeners);
  });
});

/** The page comes back by itself, so what it listens to is ended until nobody is let in any more. */
async function closed(server: HttpServer, listeners: Iterable<Parameters<Live['listen']>[1]>): Promise<void> {
  const ending = setInterval(() => {
    for (const { end } of listeners) end();
  }, 20);
  await server.close();
  clearInterval(ending);
}
