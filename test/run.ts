import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/**
 * Runs the suites named on the command line, or those of `npm test`. The list comes from the sources, so that compiled files
 * whose source is gone never run. Exit code 1 when a test fails, 2 for an unknown suite.
 */
const suites = ['unit', 'contract', 'scenario', 'property', 'compat', 'integration', 'crash', 'browser'] as const;
type Suite = (typeof suites)[number];

/** What `npm test` leaves out, because Node and npm alone must be enough for it, and what the rest needs. */
const needs: Partial<Record<Suite, string>> = {
  integration: 'Java and Maven for Kafka and Keycloak; nginx, Caddy, HAProxy, crowdsec-custom-bouncer',
  crash: 'Java and Maven for Kafka',
  browser: 'chromium',
};

const sourceRoot = join(import.meta.dirname, '../../test');
/** A file that never ends must not hold the whole run: quick suites get less time than those that start brokers and kill processes. */
const fileTimeoutMs = { default: 5 * 60_000, named: 10 * 60_000 };

type TestFile = { readonly suite: Suite; readonly path: string };

function listTestFiles(): readonly TestFile[] {
  if (!existsSync(sourceRoot)) return [];
  return readdirSync(sourceRoot, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .sort()
    .map((path) => {
      const folder = path.split(sep)[0] ?? '';
      const suite = suites.find((name) => name === folder) ?? 'unit';
      return { suite, path: join(import.meta.dirname, path.replace(/\.ts$/, '.js')) };
    });
}

/** Inside a named suite everything runs; the default run takes of the contract suite only what needs no broker. */
function choose(files: readonly TestFile[], asked: readonly Suite[]): readonly TestFile[] {
  if (asked.length > 0) return files.filter((file) => asked.includes(file.suite));
  return files.filter((file) => !(file.suite in needs) && !(file.suite === 'contract' && isKafka(file)));
}

function isKafka(file: TestFile): boolean {
  return relative(import.meta.dirname, file.path).includes('kafka');
}

function explainLeftOut(files: readonly TestFile[], chosen: readonly TestFile[]): void {
  for (const suite of suites) {
    const count = files.filter((file) => file.suite === suite && !chosen.includes(file)).length;
    if (count === 0) continue;
    const reason = needs[suite] ?? 'Java and Maven for Kafka';
    process.stdout.write(
      `not run: ${suite}, ${count} file(s); needs ${reason}; run with: node dist/test/run.js ${suite}\n`,
    );
  }
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !suites.some((suite) => suite === name));
if (unknown.length > 0) {
  process.stderr.write(`unknown suite ${unknown.join(', ')}; there are: ${suites.join(' ')}\n`);
  process.exit(2);
}

const files = listTestFiles();
const chosen = choose(files, asked as Suite[]);
const skipped: string[] = [];
if (chosen.length === 0) process.stdout.write(`no test files yet for: ${asked.join(' ') || 'the default run'}\n`);
else {
  const results = run({
    files: chosen.map((file) => file.path),
    concurrency: 2,
    timeout: asked.length === 0 ? fileTimeoutMs.default : fileTimeoutMs.named,
  });
  results.on('test:fail', () => {
    process.exitCode = 1;
  });
  results.on('test:pass', (test) => {
    if (test.skip) skipped.push(`${test.name}: ${typeof test.skip === 'string' ? test.skip : 'no reason given'}`);
  });
  results.on('end', () => {
    for (const line of skipped) process.stdout.write(`skipped: ${line}\n`);
    if (asked.length === 0) explainLeftOut(files, chosen);
  });
  results.compose(new spec()).pipe(process.stdout);
}
