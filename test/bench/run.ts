import { spawn } from 'node:child_process';
import { analyst } from './analyst.bench.ts';
import { enforce } from './enforce.bench.ts';
import { engine } from './engine.bench.ts';
import { kafka } from './kafka.bench.ts';
import { type Bench, hardware, type Row } from './measure.ts';
import { service } from './service.bench.ts';
import { state } from './state.bench.ts';
import { wayIn } from './way-in.bench.ts';

/**
 * `npm run bench [-- --short] [--only name]`. Each bench runs in a process of its own, so that none sees another's heap or compiled code.
 * Prints one table; a goal that is missed is said, and is no failure, because the machine may be busy or slow.
 */
const benches: readonly Bench[] = [...wayIn, ...engine, ...state, ...service, ...enforce, ...kafka, ...analyst];

const args = process.argv.slice(2);
const short = args.includes('--short');
const argument = (flag: string): string | undefined => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined);

function runInOwnProcess(bench: Bench): Promise<readonly Row[]> {
  const child = spawn(
    process.execPath,
    [...process.execArgv, import.meta.filename, '--child', bench.name, ...(short ? ['--short'] : [])],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString('utf8');
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(printed) as Row[]);
      else resolve([{ what: bench.name, measured: `failed: the process ended with ${code}`, met: false }]);
    });
  });
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ what, goal = '', measured, met, note = '' }) => {
    const verdict = met === undefined ? '' : met ? 'met' : 'missed';
    return [what, goal, measured, verdict, note];
  });
  const all = [['what', 'goal', 'measured', '', 'remarks'], ...cells];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |\n`;
  return [line(all[0]!), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|\n`, ...cells.map(line)].join('');
}

async function main(): Promise<void> {
  const only = argument('--only');
  const chosen = benches.filter((bench) => (only === undefined ? !(short && bench.long) : bench.name.includes(only)));
  if (chosen.length === 0) {
    process.stderr.write(`no bench is named ${only}; there are: ${benches.map(({ name }) => name).join(' ')}\n`);
    process.exitCode = 2;
    return;
  }
  const rows: Row[] = [];
  for (const bench of chosen) {
    process.stderr.write(`${bench.name} ...\n`);
    rows.push(...(await runInOwnProcess(bench)));
  }
  process.stdout.write(`${hardware()}\n\n${table(rows)}`);
}

const child = benches.find(({ name }) => name === argument('--child'));
if (child === undefined) await main();
else {
  process.stdout.write(JSON.stringify(await child.run({ short })));
  process.exit(0);
}
