import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { seededRandom } from '../../src/core/random.ts';
import type { Finding } from '../../src/finding/finding.ts';
import type { DeadLetter } from '../../src/identity/dead-letter.ts';
import { gait } from './gait-command.ts';

const repository = join(import.meta.dirname, '../../..');
const sample = join(repository, 'pipelines/sample/cloudtrail-attack.jsonl.gz');
const folder = mkdtempSync(join(tmpdir(), 'gait-replay-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content);
  return name;
};
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const linesOf = <T>(name: string): T[] =>
  read(name)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
/** Without the model, for what is not about scores: it starts in half the time. */
const plain = write('plain.yaml', 'detect: { model: none }\n');
const run = (args: readonly string[], input?: Buffer) =>
  gait(['replay', ...args], { cwd: folder, ...(input !== undefined && { input }) });

type Summary = { events: number; findings: number; late: number; dead_letters: Record<string, number> };

async function summaryOf(args: readonly string[], input?: Buffer): Promise<Summary> {
  const { code, stdout, stderr } = await run(['--json', ...args], input);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return JSON.parse(stdout) as Summary;
}

describe('gait replay', { timeout: 300_000 }, () => {
  test('the sample gives the same findings and scores, byte for byte, each time and in each wrapping', async () => {
    const records = gunzipSync(readFileSync(sample)).toString().trimEnd().split('\n');
    write('document.json', `{"Records":[${records.join(',')}]}`);
    write('bridge.jsonl', records.map((line) => `{"version":"0","source":"aws.s3","detail":${line}}`).join('\n'));
    const outputs = (name: string) => ['--findings', `${name}.findings`, '--scores', `${name}.scores`];
    const forms: [string, string][] = [
      ['first', sample],
      ['second', sample],
      ['document', 'document.json'],
      ['bridge', 'bridge.jsonl'],
    ];
    for (const [name, file] of forms) {
      const { events, late, dead_letters, findings } = await summaryOf([file, ...outputs(name)]);
      assert.deepEqual({ events, late, dead_letters }, { events: 2900, late: 0, dead_letters: {} }, name);
      assert.ok(findings > 0);
      assert.equal(read(`${name}.findings`), read('first.findings'), name);
      assert.equal(read(`${name}.scores`), read('first.scores'), name);
    }
  });

  test('the finding that README.md explains is the one that the sample has', async () => {
    await summaryOf([sample, '--findings', 'told.findings']);
    const told = linesOf<Finding>('told.findings').find(({ identity }) => identity.includes('get-password-data'))!;
    const [, section = ''] = readFileSync(join(repository, 'README.md'), 'utf8').split('## One finding, explained');
    const readme = section.split('\n## ')[0]!;
    const [first, second] = told.reasons;
    const { observed, expected, low, high, share, level, feature, text } = first!;
    for (const said of [
      told.title.slice(told.title.indexOf(' is refused') + 1),
      `${told.severity.toUpperCase()}    ${told.kind}`,
      text,
      `\`${feature}\`, ${Math.round(share * 100)} % of what was odd: ${observed} observed, ${expected} expected, ${low} to ${high} usual, compared with \`${level}\``,
      `then \`${second!.feature}\`: ${second!.observed} in 10 minutes`,
      `| ${told.count} calls`,
      told.attack.join(', '),
    ])
      assert.ok(readme.includes(said), said);
  });

  test('standard input, gzip and a mapping are read as any file', async () => {
    const ts = Date.UTC(2025, 2, 3);
    const odd = Array.from({ length: 50 }, (_, i) =>
      JSON.stringify({
        when: { at: ts + i * 1000 },
        who: `u${i % 3}`,
        call: { verb: 'get', where: `/a/${i}`, result: 200 },
      }),
    ).join('\n');
    const map = ['--map', join(repository, 'test/command/replay-map.yaml'), '-c', plain];
    const expected = await summaryOf([write('odd.jsonl', odd), ...map, '--scores', 'plain.scores']);
    assert.deepEqual([expected.events, expected.dead_letters], [50, {}]);
    assert.match(read('plain.scores'), /"identity":"user:-:u2"/);
    assert.deepEqual(await summaryOf(['-', ...map], Buffer.from(odd)), expected);
    assert.deepEqual(await summaryOf([write('odd.jsonl.gz', gzipSync(odd)), ...map]), expected);
    assert.deepEqual(await summaryOf(['-', ...map], gzipSync(odd)), expected);
  });

  test('a file without any event fails with where it broke and what to do, and so does one that is packed otherwise', async () => {
    const line = '203.0.113.9 - alice [20/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "curl/8.0"\n';
    const plainLog = await run([write('access.log', line.repeat(2)), '-c', plain]);
    assert.equal(plainLog.code, 1);
    assert.match(plainLog.stdout, /^2 dead letters\n {2}invalid-json 2, the first at access\.log:1: not valid JSON$/m);
    assert.match(plainLog.stderr, /^nothing in it was an event: docs\/sources\.md .* --map .*\n$/);
    const packed = await run([write('packed.zst', Buffer.from('28b52ffd0000', 'hex')), '-c', plain]);
    assert.deepEqual(
      [packed.code, packed.stderr],
      [1, 'packed.zst: is packed with zstd; only gzip is unpacked here\n'],
    );
    const { events, dead_letters } = await summaryOf([write('empty.json', ''), '-c', plain]);
    assert.deepEqual([events, dead_letters], [0, {}]);
  });

  test('a file with broken records ends with those and only those in the dead letters, with reason and position', async () => {
    const seed = Number(process.env.GAIT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
    process.stdout.write(`# seed of the broken records: GAIT_TEST_SEED=${seed}\n`);
    const { file, broken, good } = brokenFile(seed);
    write('broken.jsonl', file);
    const summary = await summaryOf(['broken.jsonl', '-c', plain, '--dead-letters', 'dead', '--scores', 'good']);
    assert.equal(summary.events, good);
    const letters = linesOf<DeadLetter>('dead').map(({ offset, reason, source }) => [offset, reason, source]);
    assert.deepEqual(
      letters,
      [...broken].map(([line, reason]) => [line, reason, 'broken.jsonl']),
    );
    assert.equal(linesOf('good').length, good);
    assert.ok(read('dead').length < 100_000, 'a letter is small, however large the record');
    assert.doesNotMatch(read('dead'), /hunter2/);
  });

  test('a file that cannot be read ends with 1, a format that does not exist with 2, each with one sentence', async () => {
    const cases: [string[], number, RegExp][] = [
      [['missing.jsonl'], 1, /missing\.jsonl/],
      [['.'], 1, /directory/i],
      [[write('cut.gz', gzipSync(Buffer.alloc(100_000, 'x')).subarray(0, 60))], 1, /cut\.gz/],
      [[write('empty.jsonl', ''), '--format', 'nonsense'], 2, /nonsense is no format/],
      [['empty.jsonl', '--map', 'no-map.yaml'], 2, /no-map\.yaml/],
      // Before anything is read, which may take hours.
      [['missing.jsonl', '--findings', 'no/such/folder'], 1, /no\/such\/folder/],
    ];
    for (const [args, expected, sentence] of cases) {
      const { code, stdout, stderr } = await run([...args, '-c', plain]);
      assert.deepEqual([code, stdout], [expected, ''], `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, sentence);
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    }
    assert.equal((await summaryOf(['empty.jsonl', '-c', plain])).events, 0);
  });
});

/** 1,000 records, one in twenty broken, and one of 10 MB; `broken` tells of each line why. */
function brokenFile(seed: number): { file: Buffer; broken: Map<number, string>; good: number } {
  const random = seededRandom(seed);
  const total = 1000;
  const ts = (line: number): number => Date.UTC(2025, 2, 3) + line * 1000;
  const good = (line: number) => ({
    ts: ts(line),
    subject: `u${line % 7}`,
    method: 'GET',
    path: `/a/${line}?password=hunter2`,
  });
  const text = (line: number, change: object = {}): string => JSON.stringify({ ...good(line), ...change });
  const kinds: readonly [string, (line: number) => string | Buffer][] = [
    ['invalid-json', (line) => text(line).slice(0, 30 + Math.floor(random.next() * 40))],
    ['invalid-field', (line) => text(line, { status: { code: 'hunter2' } })],
    ['invalid-field', (line) => text(line, { ts: [] })],
    ['not-an-object', () => '"hunter2"'],
    ['record-too-large', (line) => text(line, { user_agent: 'x'.repeat(2 * 1024 * 1024) })],
    [
      'invalid-utf8',
      (line) => Buffer.concat([Buffer.from(text(line).slice(0, -2)), Buffer.from([0xff, 0xc0]), Buffer.from('"}')]),
    ],
    ['invalid-json', (line) => `${text(line).slice(0, -1)}\0}`],
    ['too-deep', (line) => `${text(line).slice(0, -1)},"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['too-deep', () => '['.repeat(50_000)],
    // What stands under __proto__ is no field of the record.
    ['missing-timestamp', (line) => `{"__proto__":${text(line)}}`],
    ['timestamp-out-of-range', (line) => text(line, { ts: '1970-01-01T00:00:01Z' })],
    ['timestamp-out-of-range', (line) => text(line, { ts: '2100-01-01T00:00:00Z' })],
  ];
  const chosen = new Set<number>([500]);
  while (chosen.size < total / 20) chosen.add(2 + Math.floor(random.next() * (total - 1)));
  const broken = new Map<number, string>();
  const parts: Buffer[] = [];
  for (let line = 1; line <= total; line++) {
    let record: string | Buffer = text(line);
    if (chosen.has(line)) {
      const [reason, make] = kinds[broken.size % kinds.length]!;
      broken.set(line, line === 500 ? 'record-too-large' : reason);
      record = line === 500 ? text(line, { user_agent: 'x'.repeat(10 * 1024 * 1024) }) : make(line);
    }
    parts.push(Buffer.from(record), Buffer.from('\n'));
  }
  return { file: Buffer.concat(parts), broken, good: total - broken.size };
}
