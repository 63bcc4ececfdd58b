import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

/**
 * The folder law, the vendor law and the banned words as a test (src/README.md says why). There is no list of exceptions: a file
 * that breaks a rule is moved, split or deleted.
 */
const root = join(import.meta.dirname, '../..');

/** A file imports its own folder and those before it. */
const inner = [
  'core',
  'config',
  'event',
  'identity',
  'baseline',
  'feature',
  'score',
  'finding',
  'policy',
  'simulate',
  'evaluate',
];
/** Ring folders import the inner ones, never each other; `command` may import all. */
const ring = ['log', 'store', 'signal', 'alert', 'http', 'dashboard', 'command'];
/** Composition, in order: the flow on one screen (inner folders only), what a process does with the log, the parts put together. */
const top = ['pipeline.ts', 'role', 'service.ts', 'cli.ts'];

const pure = ['event', 'identity', 'baseline', 'feature', 'score', 'finding', 'policy', 'simulate', 'evaluate'];
/** What `npm run bundle` makes of this folder runs in a browser: it has no Node, and what it uses of packages is bundled, so they are dev dependencies. */
const browser = { folder: 'src/dashboard/browser/', entry: 'src/dashboard/browser/main.tsx' };
const inBrowser = (path: string): boolean => path.startsWith(browser.folder);
/** Loading a network's weights waits for the backend; nothing else in there does. */
const loadsModel = 'src/score/model.ts';

const banned: readonly { readonly word: RegExp; readonly allowedIn: RegExp }[] = [
  { word: /\bDate\.now\b|\bnew Date\(\)/, allowedIn: /^src\/core\/clock\.ts$/ },
  { word: /\bMath\.random\b/, allowedIn: /^src\/core\/random\.ts$/ },
  { word: /\bprocess\.env\b/, allowedIn: /^src\/(config\/|cli\.ts$)/ },
  { word: /\bconsole\./, allowedIn: /^src\/cli\.ts$/ },
  // Node 20 keeps something for each one ever made: `abortsWith` of core/aborts-with.ts does not. A log makes one.
  { word: /\bAbortSignal\.any\b/, allowedIn: /^src\/(log\/|core\/aborts-with\.ts$)/ },
  // It never ends where the system has no place for a folder: `makeFolder` of core/folder.ts does.
  { word: /\bmkdir(Sync)?\([^\n]*recursive/, allowedIn: /^$/ },
  { word: /\bas any\b|: any\b|<any>/, allowedIn: /^$/ },
  { word: /^export default\b/m, allowedIn: /^$/ },
];

const bannedFolders = ['utils', 'helpers', 'common', 'shared', 'misc'];
const fileLinesMax = 400;

type Source = {
  readonly path: string;
  readonly text: string;
  readonly code: string;
  readonly imports: readonly string[];
};

function listFiles(folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .filter((path) => statSync(join(root, path)).isFile())
    .sort();
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const code = text.replace(/(^|\s)\/\*[\s\S]*?\*\//g, '$1').replace(/(^|\s)\/\/.*$/gm, '$1');
  const imports = [...code.matchAll(/\b(?:from\s+|import\s+|import(?:\.meta\.resolve)?\s*\(\s*)'([^'\n]+)'/g)].map(
    (match) => match[1]!,
  );
  return { path, text, code, imports };
}

const source = listFiles('src')
  .filter((path) => /\.tsx?$/.test(path))
  .map(readSource);
const pipelines = listFiles('pipelines')
  .filter((path) => path.endsWith('.ts'))
  .map(readSource);
const tests = listFiles('test')
  .filter((path) => path.endsWith('.ts'))
  .map(readSource);

/** `src/event/decode/x.ts` is in `event`; a file directly in src stands for itself. */
function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** The files of this repository that a file imports, as paths from the root. */
function targets(file: Source): readonly string[] {
  return file.imports.filter((name) => name.startsWith('.')).map((name) => join(dirname(file.path), name));
}

/** The npm package of an import, or undefined for a relative or built-in one. */
function packageOf(name: string): string | undefined {
  if (name.startsWith('.') || name.startsWith('node:') || builtinModules.includes(name)) return undefined;
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function mayImport(from: string, to: string): boolean {
  if (from === to || from === 'cli.ts') return true;
  if (inner.includes(from)) return inner.indexOf(to) >= 0 && inner.indexOf(to) < inner.indexOf(from);
  if (inner.includes(to)) return true;
  if (from === 'command') return to !== 'cli.ts';
  if (top.includes(from)) {
    return ring.includes(to) ? from !== 'pipeline.ts' && to !== 'command' : top.indexOf(to) < top.indexOf(from);
  }
  return false;
}

/** A command runs a pipeline that is code; nothing else of src knows them. */
function runs(file: Source, target: string): boolean {
  return folderOf(file.path) === 'command' && target.startsWith('pipelines/');
}

test('every folder of src stands in the order of the folder law', () => {
  const known = [...inner, ...ring, ...top, 'README.md'];
  assert.deepEqual(
    [...new Set(listFiles('src').map(folderOf))].filter((folder) => !known.includes(folder)),
    [],
  );
});

test('no file imports a folder that stands later in the order, type imports included', () => {
  const broken = source.flatMap((file) =>
    targets(file)
      .filter(
        (target) =>
          !(target.startsWith('src/') ? mayImport(folderOf(file.path), folderOf(target)) : runs(file, target)),
      )
      .map((target) => `${file.path} -> ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('a pipeline uses the inner folders only, so that training and serving cannot take features differently', () => {
  const broken = pipelines.flatMap((file) =>
    targets(file)
      .filter(
        (target) =>
          !target.startsWith(dirname(file.path)) &&
          !inner.includes(folderOf(target)) &&
          folderOf(target) !== 'pipeline.ts',
      )
      .map((target) => `${file.path} -> ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('the law catches an inner folder that reaches for the ring, and two ring folders that know each other', () => {
  assert.equal(mayImport('baseline', 'log'), false);
  assert.equal(mayImport('event', 'identity'), false);
  assert.equal(mayImport('http', 'dashboard'), false);
  assert.equal(mayImport('log', 'service.ts'), false);
  assert.equal(mayImport('pipeline.ts', 'log'), false);
  assert.equal(mayImport('command', 'log'), true);
});

test('what runs in a browser imports nothing of Node, and nothing that runs on the server imports it', () => {
  const nodeOnly = source.filter(
    (file) =>
      inBrowser(file.path) && file.imports.some((name) => name.startsWith('node:') || builtinModules.includes(name)),
  );
  const reaching = source.filter((file) => !inBrowser(file.path) && targets(file).some(inBrowser));
  assert.deepEqual(
    [...nodeOnly, ...reaching].map((file) => file.path),
    [],
  );
});

test('no import cycle exists', () => {
  const edges = new Map(source.map((file) => [file.path, targets(file)]));
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path].join(' -> ');
    if (finished.has(path)) return undefined;
    for (const next of edges.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    finished.add(path);
    return undefined;
  };
  assert.deepEqual(
    source.map((file) => visit(file.path, [])).filter((cycle) => cycle !== undefined),
    [],
  );
});

test('each npm package is imported by exactly one file of src, and by none of pipelines', () => {
  const importers = new Map<string, Set<string>>();
  for (const file of [...source, ...pipelines]) {
    for (const name of file.imports) {
      const vendor = packageOf(name);
      if (vendor !== undefined) importers.set(vendor, (importers.get(vendor) ?? new Set()).add(file.path));
    }
  }
  assert.deepEqual(
    [...importers].filter(([, files]) => files.size > 1).map(([name, files]) => [name, [...files]]),
    [],
  );
  const outside = [...importers].filter(([, files]) => [...files].some((path) => !path.startsWith('src/')));
  assert.deepEqual(outside, []);
});

test('every runtime dependency is imported and every import is a declared dependency', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }).sort();
  const packagesOf = (files: readonly Source[]): ReadonlySet<string> =>
    new Set(files.flatMap((file) => file.imports.flatMap((name) => packageOf(name) ?? [])));
  const imported = packagesOf(source.filter(({ path }) => !inBrowser(path)));
  const bundled = packagesOf(source.filter(({ path }) => inBrowser(path)));
  assert.deepEqual(
    declared.filter((name) => !imported.has(name)),
    [],
    'declared, imported nowhere',
  );
  // tfjs-node downloads a library when it is installed, so a user adds it by hand and it is declared nowhere.
  const undeclared = [...imported].filter((name) => !declared.includes(name) && name !== '@tensorflow/tfjs-node');
  assert.deepEqual(undeclared, [], 'imported, not declared');
  const bundledOnly = Object.keys(manifest.devDependencies ?? {});
  assert.deepEqual(
    [...bundled].filter((name) => !bundledOnly.includes(name)),
    [],
    'bundled, not a dev dependency',
  );
});

test('clocks, chance, environment and console are asked only where the law allows', () => {
  const found = [...source, ...pipelines].flatMap((file) =>
    banned
      .filter((rule) => !rule.allowedIn.test(file.path) && rule.word.test(file.code))
      .map((rule) => `${file.path}: ${rule.word}`),
  );
  assert.deepEqual(found, []);
});

test('the pure folders neither wait nor promise', () => {
  const found = source.filter(
    (file) =>
      pure.includes(folderOf(file.path)) && file.path !== loadsModel && /\b(async|await|Promise)\b/.test(file.code),
  );
  assert.deepEqual(
    found.map((file) => file.path),
    [],
  );
});

test(`no source or test file is longer than ${fileLinesMax} lines`, () => {
  const long = [...source, ...pipelines, ...tests].filter((file) => file.text.split('\n').length - 1 > fileLinesMax);
  assert.deepEqual(
    long.map((file) => file.path),
    [],
  );
});

test('no folder of src holds a single file, is a drawer for everything, or re-exports through an index', () => {
  const files = listFiles('src');
  const folders = [...new Set(files.map((path) => dirname(path)))];
  assert.deepEqual(
    folders.filter((folder) => files.filter((path) => path.startsWith(`${folder}/`)).length === 1),
    [],
  );
  assert.deepEqual(
    folders.filter((folder) => bannedFolders.includes(folder.split('/').at(-1) ?? '')),
    [],
  );
  assert.deepEqual(
    files.filter((path) => path.endsWith('/index.ts')),
    [],
  );
});

test('file names are kebab-case', () => {
  const named = [...source, ...tests].map((file) => file.path.split('/').at(-1) ?? '');
  assert.deepEqual(
    named.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|bench|contract|d))?\.tsx?$/.test(name)),
    [],
  );
});

test('every file of src and pipelines is reachable from the command line, or from the page that is bundled', () => {
  const alive = new Set<string>();
  const byPath = new Map([...source, ...pipelines].map((file) => [file.path, file]));
  const visit = (path: string): void => {
    const file = byPath.get(path);
    if (file === undefined || alive.has(path)) return;
    alive.add(path);
    for (const target of targets(file)) visit(target);
  };
  visit('src/cli.ts');
  visit(browser.entry);
  assert.deepEqual(
    [...source, ...pipelines].map((file) => file.path).filter((path) => !alive.has(path) && !path.endsWith('.d.ts')),
    [],
  );
});

test('a released model is unchanged: every file has the sha256 of its manifest', () => {
  const manifests = listFiles('models').filter((path) => path.endsWith('/manifest.json'));
  for (const path of manifests) {
    const folder = dirname(path);
    const listed = (JSON.parse(readFileSync(join(root, path), 'utf8')) as { sha256: Record<string, string> }).sha256;
    const actual = listFiles(folder)
      .filter((file) => file !== path && !file.endsWith('.md'))
      .map((file) => [
        file.slice(folder.length + 1),
        createHash('sha256')
          .update(readFileSync(join(root, file)))
          .digest('hex'),
      ]);
    assert.deepEqual(listed, Object.fromEntries(actual), folder);
  }
});

test('no tracked text names a path of the machine it was written on', () => {
  const machine = new RegExp(`(^|[\\s'"\`(=])/(${['work', 'root', 'home/[a-z]+'].join('|')})/`, 'm');
  const found = [...source, ...pipelines, ...tests].filter((file) => machine.test(file.text));
  assert.deepEqual(
    found.map((file) => file.path),
    [],
  );
});
