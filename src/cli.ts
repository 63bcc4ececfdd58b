#!/usr/bin/env -S node --max-semi-space-size=64 --no-memory-reducer
import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { AskOptions, DecisionsOptions, FindingsOptions } from './command/ask.ts';
import type { ExportOptions } from './command/export.ts';
import type { DecideOptions, VerdictOptions } from './command/order.ts';
import type { SqlOptions } from './command/sql.ts';
import { describeError, GaitError } from './core/errors.ts';
import { actions, findingKinds, severities, verdictWords } from './core/words.ts';

/** The gait command: arguments become one plain object for one file of command/, which is loaded only when it is asked for. */
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const configOption = [
  '-c, --config <file>',
  'configuration; default: $GAIT_CONFIG, else the built-in defaults',
] as const;

function createProgram(): Command {
  const program = new Command('gait')
    .description('Learns how each identity moves through your APIs and steps in when the walk changes.')
    .version(manifest.version)
    .exitOverride()
    .showHelpAfterError('(gait --help tells more)')
    .addHelpText(
      'after',
      `
Examples:
  gait start                                    play the bundled sample, nothing else needed
  GAIT_KAFKA_BROKERS=localhost:9092 gait start  read the topic api-traffic of your Kafka
  gait replay access.log --json                 run a file through the same pipeline, offline
  gait check-config -c gait.yaml                find every mistake before the service does

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.`,
    );

  program
    .command('start')
    .description('run the service until it is told to stop (SIGTERM, Ctrl-C)')
    .option(...configOption)
    .action(async (options) => (await import('./command/start.ts')).start(options));

  program
    .command('replay')
    .description('run files through the same pipeline, in event time, and print a summary')
    .argument('<files...>', 'files, gzip or not; - is standard input')
    .option('-f, --format <name>', 'auto, canonical, cloudtrail, nginx, envoy, kong, aws-api-gateway', 'auto')
    .option('-m, --map <file>', 'mapping of any JSON record to canonical fields')
    .option(...configOption)
    .option('--findings <file>', 'write the final state of each finding, one JSON line each')
    .option('--scores <file>', 'write one JSON line per event')
    .option('--signals <file>', 'write one JSON line per decision')
    .option('--dead-letters <file>', 'write one JSON line per record that is no event: reason, line, masked sample')
    .option('--feedback <file>', 'what people said of an earlier run: the answer of GET /v1/suppressions')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', '\nExample:\n  gait replay cloudtrail/*.json.gz --findings findings.ndjson')
    .action(async (files: string[], options) => (await import('./command/replay.ts')).replay({ files, ...options }));

  program
    .command('simulate')
    .description('write labelled traffic: the same recipe and seed give the same files, byte for byte')
    .requiredOption('-r, --recipe <file>', 'for example pipelines/simulate/default.yaml')
    .option('-s, --seed <number>', 'a whole number from 0', wholeNumber, 1)
    .requiredOption('-o, --out <folder>', 'gets events.ndjson.gz, labels.ndjson and recipe.json')
    .option('--identities <number>', "instead of the recipe's", wholeNumber)
    .option('--days <number>', "instead of the recipe's", wholeNumber)
    .action(async (options) => (await import('./command/simulate.ts')).simulate(options));

  addMeasuring(program);
  addAsking(program);
  addTelling(program);
  program
    .command('migrate')
    .description("bring ClickHouse's tables up to date")
    .option(...configOption)
    .action(async (options) => (await import('./command/migrate.ts')).migrate(options));

  program
    .command('check-config')
    .description('report every mistake with file and line, or print the configuration as it will be used')
    .option(...configOption)
    .option('-t, --test [file]', "also run the policy's tests: the *.test.yaml beside it, or this one")
    .option('--hash-key', 'make an API key, and its SHA-256 for http.keys')
    .action(async (options) => (await import('./command/check-config.ts')).checkConfig(options));

  program
    .command('kafka')
    .description('run a one-node Apache Kafka for development; needs Java 17 and, the first time, Maven')
    .option('-p, --port <number>', 'port on 127.0.0.1', portNumber, 9092)
    .option('-d, --data <folder>', 'what it keeps', './data/kafka')
    .option('--partitions <number>', 'of topics that are created by use', positiveInteger, 4)
    .action(async (options) => (await import('./command/kafka.ts')).kafka(options));
  return program;
}

/** A command that talks to a running Gait over HTTP. */
function addHttpCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--url <url>', 'where Gait answers; default: $GAIT_URL, else http://127.0.0.1:4420')
    .option('--key-file <file>', 'holds the API key; default: $GAIT_KEY_FILE, else the key itself in $GAIT_KEY')
    .option('--allow-insecure', 'take http:// to another machine, where others can read along');
}

const jsonOption = ['--json', 'print what Gait answers as JSON'] as const;

/** What a running Gait is asked. */
function addAsking(program: Command): void {
  const command = (name: string, description: string): Command =>
    addHttpCommand(program, name, description).option(...jsonOption);
  const list = (name: string, description: string): Command =>
    command(name, description)
      .option('-n, --limit <number>', 'so many at most', positiveInteger, 30)
      .option('--since <time>', 'not before: 24h ago, or a time as 2026-01-31T08:00:00Z')
      .option('-i, --identity <key>', 'about this one, as user:acme:alice');

  list('findings', 'list what was found, newest first')
    .addOption(new Option('--severity <word>').choices(severities))
    .addOption(new Option('--kind <word>').choices(findingKinds))
    .addOption(new Option('--state <word>').choices(['open', 'closed', 'suppressed']))
    .action(async (options: FindingsOptions) => (await import('./command/ask.ts')).findings(options));
  list('decisions', 'list what was decided, newest first')
    .addOption(new Option('--action <word>').choices(actions))
    .addOption(new Option('--mode <word>').choices(['shadow', 'enforce']))
    .action(async (options: DecisionsOptions) => (await import('./command/ask.ts')).decisions(options));
  command('finding', 'show one finding: the claim, its reasons, what was decided')
    .argument('<id>', 'fnd_…')
    .action(async (id: string, options: AskOptions) => (await import('./command/ask.ts')).finding(id, options));
  command('identity', 'show one identity: its risk, findings, decisions and last calls')
    .argument('<key>', 'kind:tenant:id, as user:acme:alice; without tenants user:-:alice')
    .action(async (id: string, options: AskOptions) => (await import('./command/ask.ts')).identity(id, options));
  command('sql', 'ask the views of docs/analysts.md in SQL; without a query what stands on standard input')
    .argument('[query]', "for example 'SELECT count() FROM events'")
    .option(
      '-f, --format <name>',
      "one of ClickHouse's, as CSVWithNames; default: a table on a terminal, TabSeparated elsewhere",
    )
    .action(async (query: string | undefined, options: SqlOptions) =>
      (await import('./command/sql.ts')).sql(query, options),
    );
  addHttpCommand(program, 'export', 'print findings, or calls, one record per line, the oldest first')
    .option('--ocsf', 'findings as Detection Findings of the Open Cybersecurity Schema Framework 1.5')
    .option('--ecs', 'as documents of the Elastic Common Schema 8')
    .option('--csv', 'for spreadsheets: what would be taken for a formula is text')
    .option('--events', 'calls instead of findings (--ecs, --csv)')
    .option('--since <time>', 'not before: 24h ago, or a time as 2026-01-31T08:00:00Z')
    .option('-o, --out <file>', 'instead of standard output')
    .action(async (options: ExportOptions) => (await import('./command/export.ts')).exportRecords(options));
}

/** What it is told. */
function addTelling(program: Command): void {
  const command = (name: string, description: string): Command =>
    addHttpCommand(program, name, description).option(...jsonOption);
  command('decide', 'decide about an identity yourself, or end a decision (needs a key of the role admin)')
    .argument('<about>', 'an identity; with restore a decision')
    .addArgument(new Argument('<action>').choices(actions))
    .requiredOption('-r, --reason <text>', 'why; people read it')
    .option('-t, --ttl <duration>', 'how long it holds: 15m, 2h, 7d')
    .option('--session <id>', 'only this session of the identity')
    .option('--token <jti>', 'only this token of the identity, with revoke-session')
    .option('--shadow', 'rehearse: made and shown, not sent')
    .option('-i, --identity <key>', 'with restore: whose decision it is, when the store has not got it yet')
    .addHelpText(
      'after',
      `
Examples:
  gait decide user:acme:alice revoke-identity --ttl 1h --reason 'asked by phone'
  gait decide dec_4fd1c1f1a3bd27bb7a3a1c54 restore --reason 'it was her'`,
    )
    .action(async (about: string, action: string, options: DecideOptions) =>
      (await import('./command/order.ts')).decide(about, action, options),
    );
  command('verdict', 'say what a finding was, or undo that')
    .argument('<about>', 'a finding; with undo a verdict')
    .addArgument(new Argument('<word>').choices([...verdictWords, 'undo']))
    .option(
      '--scope <word>',
      'of a false positive, what is tolerated from now on: identity (default), peer-group, route',
    )
    .option('--expires <duration>', 'how long that is tolerated; default: 90d')
    .option('--note <text>', 'for people')
    .action(async (about: string, word: string, options: VerdictOptions) =>
      (await import('./command/order.ts')).verdict(about, word, options),
    );
}

/** What is done with models and labelled data, and never in service. */
function addMeasuring(program: Command): void {
  program
    .command('train')
    .description('train the models; the same recipe gives the same models, byte for byte')
    .option('-r, --recipe <file>', 'default: pipelines/train/recipe.yaml and fusion.yaml')
    .option('-o, --out <folder>', 'gets a folder for each model; default: models')
    .option('--from-store', 'challengers from your own events in ClickHouse, compared with the model in use')
    .option(...configOption)
    .option('--days <number>', 'with --from-store: the newest days that have events', positiveInteger, 30)
    .option('--name <name>', "with --from-store: begins the challengers' names", modelName, 'own')
    .action(async (options) => (await import('./command/train.ts')).train(options));

  program
    .command('evaluate')
    .description(
      'how good detection is: labelled sets through Gait and its peers, as Markdown tables, and what must hold',
    )
    .option(
      '-s, --sets <name...>',
      'source-activity, rest-sessions, cloudtrail, newcomers, simulated, simulated-small, learning, feedback; default: all but the small one',
    )
    .option('--seed <number>', 'of simulated traffic; default: 1000', wholeNumber)
    .option('-d, --data <folder...>', 'folders that `gait simulate` wrote; without --sets, only these')
    .option('--models <name...>', 'the first in place of the shipped one; default: that, none, pca-v1, deviation-v1')
    .option('--nab <folder>', 'also the Numenta Anomaly Benchmark (folders data and labels) through the rate detector')
    .option('--short', 'the small part that continuous integration runs')
    .option('-o, --out <file>', 'write the result as JSON too')
    .option('--json', 'print JSON instead of tables')
    .action(async (options) => (await import('./command/evaluate.ts')).evaluate(options));
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('expected a whole number above zero.');
  return Number(text);
}

function modelName(text: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(text))
    throw new InvalidArgumentError('expected small letters, digits, dashes.');
  return text;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('expected a whole number.');
  return Number(text);
}

function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('expected a port, 0 to 65535.');
  return Number(text);
}

/** One clear sentence; where it came from only for one who asked, by GAIT_LOG_LEVEL=debug. */
function fail(error: unknown): never {
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
  const shown = process.env.GAIT_LOG_LEVEL === 'debug' && error instanceof Error ? error.stack : describeError(error);
  process.stderr.write(`${shown}\n`);
  process.exit(error instanceof GaitError ? error.exitCode : 1);
}

// A reader that has seen enough (`gait replay … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? process.exit(0) : fail(error)));

await createProgram().parseAsync().catch(fail);
