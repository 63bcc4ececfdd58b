import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bestThreshold, evaluateNab, type NabSeries, readNab, type Scored, scoreAt } from '../../src/evaluate/nab.ts';

/** A hundred points, labelled from the 40th to the 49th; the first 15 do not count. */
const series: NabSeries = {
  name: 'one',
  times: Array.from({ length: 100 }, (_, i) => i),
  values: Array.from({ length: 100 }, () => 0),
  windows: [[40, 49]],
};

const alarmsAt = (...points: number[]): Scored => ({
  series,
  scores: Float64Array.from({ length: 100 }, (_, i) => (points.includes(i) ? 1 : 0)),
});

/** The benchmark's own formula, written down a second time: 2 / (1 + e^(5y)) - 1. */
const sigmoid = (y: number): number => 2 / (1 + Math.exp(5 * y)) - 1;
const normal = (sum: number): number => (100 * (sum + 1)) / 2;
const close = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);

test('silence is worth 0, an alarm where the window opens nearly 100, and a second one in it nothing more', () => {
  assert.equal(scoreAt([alarmsAt()], 1).score, 0);
  close(scoreAt([alarmsAt(40)], 1).score, 100);
  close(scoreAt([alarmsAt(40, 44, 49)], 1).score, 100);
  close(scoreAt([alarmsAt(44)], 1).score, normal(sigmoid(-6 / 10) / sigmoid(-1)));
});

test('a false alarm costs 0.11, less shortly after a window, and nothing in the first 15 %', () => {
  close(scoreAt([alarmsAt(40, 20)], 1).score, normal(1 - 0.11));
  close(scoreAt([alarmsAt(40, 53)], 1).score, normal(1 + 0.11 * sigmoid(4 / 9)));
  close(scoreAt([alarmsAt(40, 80)], 1).score, normal(1 - 0.11));
  close(scoreAt([alarmsAt(40, 14)], 1).score, 100);
});

test('the best threshold is the lowest one that pays', () => {
  const scores = Float64Array.from({ length: 100 }, (_, i) => (i === 41 ? 5 : i === 60 ? 4 : i === 20 ? 6 : 0));
  const { score, threshold } = bestThreshold([{ series, scores }]);
  assert.equal(threshold, 5);
  close(score, scoreAt([{ series, scores }], 5).score);
  const silent = bestThreshold([{ series, scores: new Float64Array(100) }]);
  assert.deepEqual(silent, { score: 0, threshold: Number.POSITIVE_INFINITY });
});

test('a folder is read by name, and a spike in quiet traffic is found without a false alarm', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'gait-nab-'));
  t.after(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'labels'));
  mkdirSync(join(dir, 'data', 'group'), { recursive: true });
  const start = Date.UTC(2026, 0, 1);
  const time = (i: number): string => new Date(start + i * 300_000).toISOString().slice(0, 19).replace('T', ' ');
  const windows: Record<string, string[][]> = { 'group/elsewhere.csv': [] };
  for (const name of ['b', 'a']) {
    const lines = Array.from({ length: 2000 }, (_, i) => `${time(i)},${i === 1500 ? 900 : 10 + ((i * 7) % 5)}`);
    writeFileSync(join(dir, 'data', 'group', `${name}.csv`), `timestamp,value\n${lines.join('\n')}\n`);
    windows[`group/${name}.csv`] = [[`${time(1490)}.000000`, `${time(1600)}.000000`]];
  }
  writeFileSync(join(dir, 'labels', 'combined_windows.json'), JSON.stringify(windows));
  assert.deepEqual(
    readNab(dir).map(({ name }) => name),
    ['group/a.csv', 'group/b.csv'],
  );
  const rows = evaluateNab(dir);
  assert.deepEqual(new Set(rows.map(({ series: name }) => name.split(',')[0])), new Set(['odd', 'even', 'all']));
  for (const { series: name, score } of rows) assert.ok(score > 95, `${name}: ${score}`);
});
