import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { createSite } from '../../src/dashboard/site.ts';
import { ask, sampleParts, serve } from '../http/client.ts';

/** The whole first page: the document and everything that it names, as it travels. */
const firstPageBytesMax = 300 * 1024;

const site = createSite();
const parts = sampleParts({ site: { ...site, paths: ['/', '/findings/:id'] } });

test('the first page with all its files is at most 300 kB compressed, whichever compression is asked for', async () => {
  for (const accepts of ['gzip, deflate, br', 'gzip']) {
    const document = await site.document(accepts);
    const files = await Promise.all(namesIn(text(document)).map((name) => site.asset(name, accepts)));
    const bytes = [document, ...files].reduce((sum, file) => sum + file!.body.length, 0);
    assert.ok(bytes <= firstPageBytesMax, `${bytes} bytes with ${accepts}`);
  }
});

test('a file is sent as the browser takes it, and is the same however it is sent', async () => {
  const [name = ''] = namesIn(text(await site.document('')));
  const plain = await site.asset(name, '');
  assert.equal(plain?.encoding, 'identity');
  const br = await site.asset(name, 'br;q=1.0, gzip;q=0.8, *;q=0.1');
  assert.deepEqual(brotliDecompressSync(br!.body), plain?.body);
  const zipped = await site.asset(name, 'gzip, br;q=0');
  assert.equal(zipped?.encoding, 'gzip');
  assert.deepEqual(gunzipSync(zipped!.body), plain?.body);
});

test('files are kept for ever under names that hold their content, the document is asked for each time', async (t) => {
  const server = await serve(parts);
  t.after(server.close);
  const document = await ask(server, '/');
  assert.equal(document.headers['cache-control'], 'no-cache');
  const names = namesIn(document.text);
  assert.equal(names.length, 3);
  for (const name of names) {
    assert.match(name, /-[0-9a-f]{16}\.(js|css|svg)$/);
    const { headers, status } = await ask(server, `/assets/${name}`, { headers: { 'accept-encoding': 'br' } });
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(headers['content-encoding'], 'br');
    assert.equal(headers.vary, 'accept-encoding');
  }
  for (const path of ['/assets/main.js', '/assets/..%2f..%2fpackage.json'])
    assert.equal((await ask(server, path)).status, 404, path);
});

test('the page allows no inline script or style, nothing of other hosts, and no markup made of text', async (t) => {
  const server = await serve(parts);
  t.after(server.close);
  for (const path of ['/', '/findings/%3Cscript%3E']) {
    const { headers, text } = await ask(server, path);
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.match(policy, /connect-src 'self'/);
    assert.match(policy, /frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'/);
    assert.doesNotMatch(policy, /unsafe|http|data:|\*/);
    assert.doesNotMatch(text, /<script>|<style|style=|\son[a-z]+=|https?:/i);
    assert.equal(headers['x-frame-options'], 'DENY');
  }
});

test('what was not bundled is said to be so, instead of a broken page', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gait-site-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await assert.rejects(createSite(folder).document(''), { message: /npm run build/ });
});

function text(file: { readonly body: Buffer; readonly encoding: string }): string {
  if (file.encoding === 'br') return brotliDecompressSync(file.body).toString();
  return (file.encoding === 'gzip' ? gunzipSync(file.body) : file.body).toString();
}

function namesIn(document: string): readonly string[] {
  return [...document.matchAll(/\/assets\/([\w.-]+)/g)].map((match) => match[1]!);
}
