import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { learnSeries, seriesSurprise, seriesWindowMs, seriesWords } from '../baseline/series.ts';

/**
 * The Numenta Anomaly Benchmark (Lavin and Ahmad, ICMLA 2015), standard profile. In: its folder (`data/<group>/<series>.csv`, `labels/
 * combined_windows.json`). Out: scores of the rate family's series detector, as it is shipped. A window that is found counts up to 1, the
 * earlier the more; one that is missed counts -1, a false alarm -0.11, less shortly after a window; the first 15 % (at most 750) of a
 * series do not count. 100 is everything at once and no false alarm, 0 is silence.
 *
 * Odd series (by name, counted from 1) are for building, even ones for reporting. The benchmark itself takes the best threshold of what is
 * scored; a stream has no such thing, so the scores at one threshold come first: one window in five hundred, where the odd series and
 * simulated ones together do best.
 */
export type NabSeries = {
  readonly name: string;
  readonly times: readonly number[];
  readonly values: readonly number[];
  /** First and last time of each labelled window. */
  readonly windows: readonly (readonly [number, number])[];
};

/** What raising an alarm at each point is worth, and the window it is in (-1: none). */
type Worth = { readonly counted: number; readonly windows: number; readonly of: Float64Array; readonly in: Int32Array };

const falseAlarm = 0.11;
const windowsPerAlarm = 500;

/** The benchmark's scaled sigmoid: 1 at the start of a window, 0 at its end, -1 three widths later. */
function worthAt(position: number): number {
  return position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

function worthOf({ times, windows }: NabSeries): Worth {
  const length = times.length;
  const of = new Float64Array(length).fill(-falseAlarm);
  const inside = new Int32Array(length).fill(-1);
  const spans = windows.map(([first, last]) => [times.indexOf(first), times.indexOf(last)] as const);
  spans.forEach(([first, last], w) => {
    const width = last - first + 1;
    for (let i = first; i <= last; i++) {
      inside[i] = w;
      of[i] = worthAt(-(last - i + 1) / width) / worthAt(-1);
    }
    const end = spans[w + 1]?.[0] ?? length;
    for (let i = last + 1; i < end; i++) of[i] = falseAlarm * worthAt((i - last) / (width - 1));
  });
  const counted = Math.min(Math.floor(0.15 * length), 750);
  const seen = new Set(inside.subarray(counted));
  seen.delete(-1);
  return { counted, windows: seen.size, of, in: inside };
}

export type Scored = { readonly series: NabSeries; readonly scores: ArrayLike<number> };
export type NabResult = { readonly score: number; readonly threshold: number };

/** The best threshold and its score: alarms are added from the highest score down. Without a score above 0 there is no alarm. */
export function bestThreshold(scored: readonly Scored[]): NabResult {
  const worths = scored.map(({ series }) => worthOf(series));
  const windows = worths.reduce((sum, worth) => sum + worth.windows, 0);
  const alarms = scored.flatMap(({ scores }, s) =>
    Array.from(scores, (score, i) => ({ score, s, i })).filter(({ score, i }) => score > 0 && i >= worths[s]!.counted),
  );
  alarms.sort((a, b) => b.score - a.score);
  const found = worths.map(() => new Map<number, number>());
  let sum = -windows;
  let best = { sum, threshold: Number.POSITIVE_INFINITY };
  alarms.forEach(({ score, s, i }, n) => {
    sum += gain(worths[s]!, found[s]!, i);
    if (alarms[n + 1]?.score !== score && sum > best.sum) best = { sum, threshold: score };
  });
  return { score: normalised(best.sum, windows), threshold: best.threshold };
}

/** The score at a threshold. */
export function scoreAt(scored: readonly Scored[], threshold: number): NabResult {
  let sum = 0;
  let windows = 0;
  for (const { series, scores } of scored) {
    const worth = worthOf(series);
    const found = new Map<number, number>();
    windows += worth.windows;
    sum -= worth.windows;
    for (let i = worth.counted; i < scores.length; i++) if (scores[i]! >= threshold) sum += gain(worth, found, i);
  }
  return { score: normalised(sum, windows), threshold };
}

/** What one more alarm adds: of a window's alarms the earliest counts, false ones add up. */
function gain(worth: Worth, found: Map<number, number>, i: number): number {
  const window = worth.in[i]!;
  if (window < 0) return worth.of[i]!;
  const before = found.get(window) ?? -1;
  found.set(window, Math.max(before, worth.of[i]!));
  return Math.max(0, worth.of[i]! - before);
}

function normalised(sum: number, windows: number): number {
  return (100 * (sum + windows)) / (2 * windows);
}

/** The detector as the rate family has it: each value is judged, then learned. */
function seriesScores({ times, values }: NabSeries): Float64Array {
  const place = { words: new Float32Array(seriesWords), start: 0 };
  return Float64Array.from(values, (value, i) => {
    const at = { window: Math.floor(times[i]! / seriesWindowMs), value };
    const surprise = seriesSurprise(place, at);
    learnSeries(place, at);
    return surprise;
  });
}

export type NabRow = { readonly series: string; readonly count: number } & NabResult;

export function evaluateNab(dir: string): readonly NabRow[] {
  const scored = readNab(dir).map((series) => ({ series, scores: seriesScores(series) }));
  const odd = scored.filter((_, i) => i % 2 === 0);
  const even = scored.filter((_, i) => i % 2 === 1);
  const halves = [
    { name: 'odd', part: odd },
    { name: 'even', part: even },
    { name: 'all', part: scored },
  ];
  const shipped = Math.log(windowsPerAlarm);
  const ofOdd = bestThreshold(odd).threshold;
  return [
    ...halves.map(({ name, part }) => row(`${name}, at the threshold of one in ${windowsPerAlarm}`, part, shipped)),
    ...halves.map(({ name, part }) => row(`${name}, at the best threshold of the odd`, part, ofOdd)),
    ...halves.map(({ name, part }) => row(`${name}, at their own best`, part, bestThreshold(part).threshold)),
  ];
}

function row(series: string, part: readonly Scored[], threshold: number): NabRow {
  return { series, count: part.length, ...scoreAt(part, threshold) };
}

/** All series of the folder, by name. */
export function readNab(dir: string): readonly NabSeries[] {
  const labels = JSON.parse(readFileSync(join(dir, 'labels', 'combined_windows.json'), 'utf8')) as Record<
    string,
    [string, string][]
  >;
  return Object.keys(labels)
    .filter((name) => groups(dir).has(name))
    .sort()
    .map((name) => {
      const lines = readFileSync(join(dir, 'data', name), 'utf8')
        .trim()
        .split(/\r?\n/)
        .slice(1);
      const rows = lines.map((line) => line.split(',') as [string, string]);
      return {
        name,
        times: rows.map(([time]) => timeOf(time)),
        values: rows.map(([, value]) => Number(value)),
        windows: labels[name]!.map(([first, last]) => [timeOf(first), timeOf(last)] as const),
      };
    });
}

function groups(dir: string): ReadonlySet<string> {
  const names = readdirSync(join(dir, 'data'), { recursive: true, encoding: 'utf8' });
  return new Set(names.map((name) => name.replaceAll('\\', '/')));
}

/** `2014-04-11 09:00:00.000000`, without a zone. */
function timeOf(text: string): number {
  return Date.parse(`${text.slice(0, 19).replace(' ', 'T')}Z`);
}
