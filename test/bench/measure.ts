import { cpus, totalmem } from 'node:os';

/**
 * Bench: what Gait costs on the machine it runs on. In: nothing but the program itself. Out: rows of one table, each with its goal.
 * A row is a median over several runs; a shared machine makes the wall clock unfair, so throughput is also given per CPU second.
 */
export type Row = {
  readonly what: string;
  readonly measured: string;
  readonly goal?: string;
  readonly met?: boolean;
  readonly note?: string;
};

export type BenchOptions = { readonly short: boolean };

export type Bench = {
  readonly name: string;
  /** Left out of a short run, which has 90 s. */
  readonly long?: boolean;
  readonly run: (options: BenchOptions) => Promise<readonly Row[]>;
};

/** Events, and what they took: seconds of the clock, and seconds of CPU over all of the process's threads. */
export type Run = { readonly events: number; readonly seconds: number; readonly cpuSeconds: number };

/** Adds up the timed parts of a run that has untimed ones in between (making the events). */
export class Stopwatch {
  #wall = 0;
  #cpu = 0;

  time<T>(work: () => T): T {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const result = work();
    this.#wall += performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    this.#cpu += user + system;
    return result;
  }

  run(events: number): Run {
    return { events, seconds: this.#wall / 1e3, cpuSeconds: this.#cpu / 1e6 };
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}

export function eventsPerSecond(runs: readonly Run[]): number {
  return median(runs.map(({ events, seconds }) => events / seconds));
}

/** `213 k/s (190 to 221), 227 k per CPU second`. */
export function throughput(runs: readonly Run[]): string {
  const rates = runs.map(({ events, seconds }) => events / seconds);
  const perCpu = median(runs.map(({ events, cpuSeconds }) => events / cpuSeconds));
  const spread = runs.length > 1 ? ` (${thousands(Math.min(...rates))} to ${thousands(Math.max(...rates))})` : '';
  return `${thousands(median(rates))} k/s${spread}, ${thousands(perCpu)} k per CPU second`;
}

/** `0.42 s (0.40 to 0.51)`. */
export function duration(seconds: readonly number[]): string {
  const format = (value: number): string => value.toFixed(value < 0.1 ? 3 : 2);
  const spread = seconds.length > 1 ? ` (${format(Math.min(...seconds))} to ${format(Math.max(...seconds))})` : '';
  return `${format(median(seconds))} s${spread}`;
}

export function thousands(value: number): string {
  return value >= 100_000 ? (value / 1000).toFixed(0) : (value / 1000).toFixed(1);
}

export function hardware(): string {
  const cores = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cores.length} cores ${cores[0]?.model.trim() ?? 'unknown'}, ${gigabytes} GB, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}
