import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { ask, sampleParts, serve } from './http/client.ts';

const root = join(import.meta.dirname, '../..');
const folders = ['docs', 'src', 'pipelines', 'models', 'demo', 'test'];
const listed = [
  ...readdirSync(root),
  ...folders.flatMap((name) =>
    readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((file) => join(name, file)),
  ),
].filter((name) => name.endsWith('.md'));
const pages = new Map(listed.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
const withoutCode = (page: string): string => page.replace(/```[\s\S]*?```/g, '');

/** Anchors as GitHub makes them. */
function anchorsOf(page: string): readonly string[] {
  return [...withoutCode(page).matchAll(/^#{1,6} (.*)$/gm)].map(([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('every link between pages leads to a file, and to a heading, that is there', () => {
  let links = 0;
  for (const [name, page] of pages) {
    for (const [, link = ''] of withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      links++;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? name : normalize(join(dirname(name), file));
      assert.ok(existsSync(join(root, target)), `${name}: ${link}`);
      if (anchor !== undefined) assert.ok(anchorsOf(pages.get(target) ?? '').includes(anchor), `${name}: ${link}`);
    }
  }
  assert.ok(links > 50);
});

test('every file of ours that a page names is there', () => {
  for (const [name, page] of pages) {
    for (const [, path = ''] of page.matchAll(/`((?:src|test|docs|pipelines|models|demo)\/[\w./-]+)`/g)) {
      const file = join(root, path);
      assert.ok(existsSync(file) && (!path.endsWith('/') || statSync(file).isDirectory()), `${name}: ${path}`);
    }
  }
});

test('every route that a page names is there, and every route but those of the dashboard’s own is named by one', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  const { paths } = JSON.parse((await ask(server, '/openapi.json')).text) as { paths: object };
  const routes = Object.keys(paths);
  const shapeOf = (path: string): string => path.replace(/\{\w+\}|<\w+>|(fnd|dec|inc|vdt|sup)_…/g, '*');
  const shapes = new Set(routes.map(shapeOf));
  const named = new Map<string, string>();
  for (const [name, page] of pages) {
    for (const [path] of page.matchAll(
      /(?<!\/api)\/v1\/[\w{}<>/.…-]+|(?<![\w.])\/(authz|clickhouse|healthz|readyz|metrics|openapi\.json)/g,
    ))
      named.set(shapeOf(path).replace(/[./]$/, ''), name);
  }
  for (const [path, name] of named) assert.ok(shapes.has(path), `${name}: ${path}`);
  const own = ['/v1/session', '/clickhouse/', '/clickhouse/ping'];
  assert.deepEqual(
    routes.filter((path) => !named.has(shapeOf(path)) && !own.includes(path)),
    [],
  );
});
