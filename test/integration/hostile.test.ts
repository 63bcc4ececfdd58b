import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import { gait as command } from '../command/gait-command.ts';
import { hostileLines, listFields, storableTexts, textFields } from '../hostile/corpus.ts';
import { type GaitProcess, startGait, waitFor } from './gait-process.ts';

const hmacKey = 'a key for tests only';
const dayMs = 86_400_000;
/** They are robbed yesterday. */
const start = Math.floor(Date.now() / dayMs) * dayMs - 9 * dayMs;
const lines = hostileLines(start);
/** Nothing that a terminal obeys or that hides, but for the ends of lines and of values. */
const unseen = /[\p{C}\p{Zl}\p{Zp}]/u;
const isFormula = /^\s*[=+\-@\t\r＝＋－＠]/u;

/** What the hostile corpus does when it is written into every field of an event and goes all the way through a running Gait: nothing. */
describe('the hostile corpus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gait-hostile-'));
  const told: { readonly path: string; readonly body: string }[] = [];
  const channels = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      told.push({ path: request.url ?? '', body });
      response.end('ok');
    });
  });
  let gait: GaitProcess;
  const ask = (path: string, init?: RequestInit) => fetch(`${gait.address()}${path}`, init);
  const sql = async (query: string): Promise<readonly Record<string, unknown>[]> => {
    const answer = await ask('/clickhouse?default_format=JSONEachRow', { method: 'POST', body: query });
    const text = await answer.text();
    assert.equal(answer.status, 200, text);
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  };
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await command(args, { cwd: folder, env: { GAIT_URL: gait.address()! } });
    assert.deepEqual([code, stderr], [0, ''], args.join(' '));
    return stdout;
  };
  const ofTerminal = (text: string): string => text.replace(/[\n\t]/g, '');

  before(async () => {
    await new Promise<void>((resolve) => channels.listen(0, '127.0.0.1', resolve));
    const at = `http://127.0.0.1:${(channels.address() as AddressInfo).port}`;
    const rate = { messages: 10_000, perMs: 1000 };
    const common = { severityMin: 'low', groupWaitMs: 100, rate };
    const config = {
      dataDir: './data',
      http: { port: 0 },
      ingest: { hmacKey },
      detect: { findingsPer1000PerDay: 1000 },
      alerts: {
        staleAfterMs: 7 * dayMs,
        channels: [
          { ...common, name: 'slack', kind: 'slack', url: `${at}/slack` },
          { ...common, name: 'teams', kind: 'teams', url: `${at}/teams` },
        ],
      },
    };
    gait = startGait({ folder, config });
    const patience = { withinMs: 120_000, alive: [gait] };
    await waitFor('it serves', () => gait.address() !== undefined, patience);
    const headers = { 'content-type': 'application/x-ndjson' };
    for (let i = 0; i < lines.length; i += 2000) {
      const answer = await ask('/v1/events', { method: 'POST', headers, body: lines.slice(i, i + 2000).join('\n') });
      const { accepted, refused_count } = (await answer.json()) as Record<string, unknown>;
      assert.deepEqual([accepted, refused_count], [lines.slice(i, i + 2000).length, 0]);
    }
    /** Until the tables are made there is nothing to ask. */
    const count = async (view: string) => {
      const answer = await ask('/clickhouse', { method: 'POST', body: `SELECT count() FROM ${view}` });
      return answer.ok ? Number(await answer.text()) : -1;
    };
    await waitFor('everything is stored', async () => (await count('events')) === lines.length, patience);
    await waitFor('it is found', async () => (await count('findings')) > 200, patience);
    await waitFor(
      'people are told',
      () => ['/slack', '/teams'].every((path) => told.some((of) => of.path === path)),
      patience,
    );
  });
  after(async () => {
    gait?.kill('SIGKILL');
    await gait?.ended;
    channels.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('each row of SQL is the event that was sent, text for text', async () => {
    const decoder = createDecoder({ format: 'canonical', redactor: createRedactor({ hmacKey }) });
    const rows = await sql("SELECT * FROM events WHERE event_id LIKE 'odd-%-0'");
    const byId = new Map(rows.map((row) => [row.event_id, row]));
    assert.equal(byId.size, storableTexts.length);
    // Ids in a path become the route's template and the event's objects.
    const fields = [...textFields, ...listFields].filter((name) => name !== 'object_ids' && name !== 'route');
    for (const line of lines) {
      const { event_id } = JSON.parse(line) as { event_id: string };
      if (!/^odd-\d+-0$/.test(event_id)) continue;
      const [read] = decoder.decode(line, Date.now());
      assert.ok(read?.kind === 'ok');
      const row = byId.get(event_id);
      // A lone surrogate has no form in UTF-8: what is stored for it is odd, and harmless.
      if (/\p{Cs}/u.test(read.value.tenant ?? '')) continue;
      for (const name of fields) assert.deepEqual(row?.[name], read.value[name] ?? '', `${event_id} ${name}`);
    }
  });

  test('a filter finds whom it names and nobody else', async () => {
    for (const { text } of storableTexts) {
      const identity = identityKey('user', text, text);
      const answer = await ask(`/v1/findings?limit=500&identity=${encodeURIComponent(identity)}`);
      assert.equal(answer.status, 200, text);
      const { findings } = (await answer.json()) as { findings: { identity: string }[] };
      for (const found of findings) assert.equal(found.identity, identity);
      const known = await ask(`/v1/identities/${encodeURIComponent(identity)}`);
      assert.equal(known.status, 200, identity);
    }
  });

  test('a terminal is shown letters', async () => {
    const [{ identity, finding_id } = {}] = await sql(
      "SELECT identity, finding_id FROM findings WHERE position(title, char(27)) > 0 OR position(identity, '%1B') > 0 LIMIT 1",
    );
    const printed = [
      await run('findings', '-n', '500'),
      await run('decisions', '-n', '500'),
      await run('finding', String(finding_id)),
      await run('identity', String(identity)),
      await run('findings', '-n', '500', '--json'),
      await run('identity', String(identity), '--json'),
    ];
    for (const text of printed) assert.doesNotMatch(ofTerminal(text), unseen);
    for (const row of printed[0]!.trimEnd().split('\n')) assert.match(row, /^fnd_[0-9a-f]{24}\t/);
    assert.doesNotMatch(ofTerminal(gait.output()), unseen, 'nor in what the service itself prints and logs');
  });

  test('a verdict given at the command line takes its finding out of the queue; undone, it is back', async () => {
    const [finding = ''] = (await run('findings', '-n', '1', '--state', 'open')).split('\t');
    const stateOf = async (): Promise<unknown> =>
      (JSON.parse(await run('finding', finding, '--json')) as { state: unknown }).state;
    const patience = { withinMs: 60_000, alive: [gait] };
    const verdict = (await run('verdict', finding, 'false-positive', '--note', '=1+1')).trimEnd();
    await waitFor('it is out', async () => (await stateOf()) !== 'open', patience);
    await waitFor('the verdict is known', async () => (await ask('/v1/verdicts')).ok, patience);
    await run('verdict', verdict, 'undo');
    await waitFor('it is back', async () => (await stateOf()) === 'open', patience);
  });

  test('a spreadsheet is given texts, and gives back what was written', async () => {
    for (const args of [['--events'], []]) {
      await run('export', '--csv', ...args, '--out', 'export.csv');
      const [head, ...rows] = cellsOf(readFileSync(join(folder, 'export.csv'), 'utf8'));
      assert.ok(rows.length > 200);
      for (const row of rows) {
        assert.equal(row.length, head!.length, 'no cell breaks out of its row');
        for (const [i, cell] of row.entries()) {
          const isNumber = /^-?\d+(\.\d+)?(e-?\d+)?$/.test(cell);
          assert.ok(isNumber || !isFormula.test(cell), `${head![i]}: ${JSON.stringify(cell)}`);
        }
      }
      if (args.length === 0) continue;
      const agents = new Set(
        rows.map((row) => row[head!.indexOf('user_agent')]?.replace(/^'(?=\s*[=+\-@\t\r＝＋－＠])/u, '')),
      );
      for (const { text } of storableTexts.filter(({ against }) => against === 'sheet'))
        assert.ok(agents.has(text), text);
    }
  });

  test('records in the words of others are one JSON document a line', async () => {
    for (const args of [['--ocsf'], ['--ecs'], ['--ecs', '--events']]) {
      const records = (await run('export', ...args))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.ok(records.length > 200, args.join(' '));
    }
  });

  test('what people are told in Slack and Teams is plain text', () => {
    for (const { path, body } of told) {
      const texts: string[] = [];
      JSON.parse(body, (key, value) => {
        if (key === 'text' && typeof value === 'string') texts.push(value);
        return value;
      });
      assert.ok(texts.length > 0);
      for (const text of texts) {
        assert.doesNotMatch(text.replaceAll('\u200b', ''), unseen);
        assert.doesNotMatch(text, /:\/\/|@(?!\u200b)/, 'no link and no mention');
        if (path === '/slack') assert.doesNotMatch(text, /[<>]|&(?!(amp|lt|gt);)|`/);
        else assert.doesNotMatch(text, /\{\{|\$\{|@\{|<[^\u200b]/);
      }
    }
  });
});

/** RFC 4180. */
function cellsOf(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = '';
    if (text[at] === '"') {
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        if (text[at] === '"') at++;
        cell += text[at];
      }
      at++;
    } else for (; at < text.length && text[at] !== ',' && text[at] !== '\r'; at++) cell += text[at];
    row.push(cell);
    if (text[at] === ',') at++;
    else {
      rows.push(row);
      row = [];
      at += 2;
    }
  }
  return rows;
}
