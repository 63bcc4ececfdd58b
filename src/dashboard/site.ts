import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { GaitError } from '../core/errors.ts';

/**
 * The dashboard's server side. In: what `npm run build` bundled from `browser/`. Out: one document for every page, and its files under names that hold
 * the hash of their content, so that a browser may keep them for ever. Never true: a word of an event in any of it; the pages fetch those as JSON.
 */
export type Site = {
  /** The document, the same for every page. Fails with STORE_UNAVAILABLE when nothing was bundled. */
  readonly document: (accepts: string) => Promise<SiteFile>;
  /** Undefined for a name that does not exist. */
  readonly asset: (name: string, accepts: string) => Promise<SiteFile | undefined>;
};

export type SiteFile = {
  readonly type: string;
  readonly encoding: 'br' | 'gzip' | 'identity';
  readonly body: Buffer;
};

type Stored = { readonly type: string; readonly bodies: Readonly<Record<SiteFile['encoding'], Buffer>> };

const bundled = [
  { file: 'main.js', type: 'text/javascript; charset=utf-8' },
  { file: 'style.css', type: 'text/css; charset=utf-8' },
  { file: 'icon.svg', type: 'image/svg+xml' },
];

/** Files are read and compressed once, at the first request. */
export function createSite(folder = join(import.meta.dirname, 'site')): Site {
  let built: ReturnType<typeof build> | undefined;
  const files = (): ReturnType<typeof build> => {
    built ??= build(folder).catch((error) => {
      built = undefined;
      throw error;
    });
    return built;
  };
  return {
    document: async (accepts) => choose((await files()).document, accepts),
    asset: async (name, accepts) => {
      const found = (await files()).assets.get(name);
      return found && choose(found, accepts);
    },
  };
}

async function build(
  folder: string,
): Promise<{ readonly document: Stored; readonly assets: ReadonlyMap<string, Stored> }> {
  const read = await Promise.all(bundled.map(({ file }) => readFile(join(folder, file)))).catch((cause) => {
    throw new GaitError('STORE_UNAVAILABLE', 'the dashboard was not bundled: npm run build', { cause });
  });
  const names = bundled.map(({ file }, i) => hashedName(file, read[i]!));
  const [script = '', style = '', icon = ''] = names;
  const stored = await Promise.all(bundled.map(({ type }, i) => store(type, read[i]!)));
  return {
    document: await store('text/html; charset=utf-8', Buffer.from(documentOf({ script, style, icon }))),
    assets: new Map(names.map((name, i) => [name, stored[i]!])),
  };
}

function hashedName(file: string, content: Buffer): string {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return file.replace(/(\.[a-z]+)$/, `-${hash}$1`);
}

async function store(type: string, content: Buffer): Promise<Stored> {
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  const [br, zipped] = await Promise.all([
    promisify(brotliCompress)(content, { params }),
    promisify(gzip)(content, { level: 9 }),
  ]);
  return { type, bodies: { br, gzip: zipped, identity: content } };
}

function choose({ type, bodies }: Stored, accepts: string): SiteFile {
  const encoding = (['br', 'gzip'] as const).find((name) =>
    new RegExp(`\\b${name}\\b(?!;q=0(\\.0*)?\\b)`).test(accepts),
  );
  return { type, encoding: encoding ?? 'identity', body: bodies[encoding ?? 'identity'] };
}

function documentOf(names: { readonly script: string; readonly style: string; readonly icon: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Gait</title>
<link rel="icon" href="/assets/${names.icon}" type="image/svg+xml">
<link rel="stylesheet" href="/assets/${names.style}">
<script type="module" src="/assets/${names.script}"></script>
</head>
<body>
<div id="app"><noscript>The dashboard needs JavaScript. Findings are also at <a href="/v1/findings">/v1/findings</a>, and <code>gait findings</code> prints them.</noscript></div>
</body>
</html>
`;
}
