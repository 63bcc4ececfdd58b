import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describeError, GaitError } from '../core/errors.ts';
import { makeFolder } from '../core/folder.ts';
import { sleep } from '../core/sleep.ts';

export type BrokerOptions = {
  /** 0 takes a free one. */
  readonly port: number;
  /** Jars, class archive, configuration and the broker's data; kept, so that a second start is quick and finds its topics again. */
  readonly dataDir: string;
  /** The jars may be shared between data folders; default `dataDir/libs`. */
  readonly libsDir?: string;
  readonly partitions?: number;
  /** Lines to add to server.properties; they win over those written here. */
  readonly properties?: Readonly<Record<string, string>>;
  /** What is being done, for the one who waits. */
  readonly onProgress?: (text: string) => void;
};

export type Broker = {
  readonly port: number;
  /** Resolves when the process has ended. SIGKILL is a crash: nothing is flushed, no one is told. */
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  /** Starts again on the same port and data. */
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Resolves when the process that runs now has ended, for whatever reason. */
  readonly ended: () => Promise<void>;
};

const readyWithinMs = 60_000;
const heapMegabytes = 512;

/** A one-node Apache Kafka (KRaft) for development and tests: no docker, but Java 17 or later and, the first time, Maven. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const folder = resolve(options.dataDir);
  makeFolder(folder);
  const libs = resolve(options.libsDir ?? join(folder, 'libs'));
  await requireJava();
  await fetchJars(libs, options.onProgress ?? (() => {}));
  const ports = { broker: options.port || (await freePort()), controller: await freePort() };
  const config = join(folder, 'server.properties');
  writeFileSync(config, serverProperties(folder, ports, options));
  if (!existsSync(join(folder, 'data', 'meta.properties'))) await format(folder, libs, config);
  let child = await launch(folder, libs, ports.broker);
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await ended;
  };
  return {
    port: ports.broker,
    kill,
    restart: async () => {
      await kill('SIGTERM');
      child = await launch(folder, libs, ports.broker);
    },
    stop: () => kill('SIGTERM'),
    ended: () => new Promise((done) => (child.exitCode === null ? child.once('exit', () => done()) : done())),
  };
}

/** Why a broker cannot be started here, or undefined when it can. */
export async function brokerMissing(): Promise<string | undefined> {
  try {
    await requireJava();
    await run('mvn', ['-version']);
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

async function requireJava(): Promise<void> {
  const hint = 'a local Kafka broker needs Java 17 or later (Debian: apt-get install openjdk-17-jre-headless maven)';
  const printed = await run('java', ['-version']).catch((cause) => {
    throw new GaitError('USAGE', `java was not found: ${hint}`, { cause });
  });
  const version = Number(/version "(\d+)/.exec(printed)?.[1]);
  if (!(version >= 17)) throw new GaitError('USAGE', `java ${version} is too old: ${hint}`);
}

/** Copied to a folder of another name first, so that a broken download is not taken for the whole. */
async function fetchJars(libs: string, onProgress: (text: string) => void): Promise<void> {
  if (existsSync(libs)) return;
  onProgress('fetching Apache Kafka with Maven (44 MB, once)');
  const part = `${libs}.part`;
  makeFolder(part);
  const pom = new URL('../../../pipelines/kafka/pom.xml', import.meta.url);
  writeFileSync(join(part, 'pom.xml'), readFileSync(pom));
  const goal = ['-B', '-q', '-f', join(part, 'pom.xml'), 'dependency:copy-dependencies'];
  await run('mvn', [...goal, `-DoutputDirectory=${part}`, '-DincludeScope=runtime']).catch((cause) => {
    throw new GaitError('USAGE', `Maven (mvn) could not fetch Apache Kafka: ${describeError(cause)}`, { cause });
  });
  renameSync(part, libs);
}

/** The short sessions make a restart after SIGKILL take 3 s instead of 13 s; one replica because there is one node. */
function serverProperties(
  folder: string,
  ports: { readonly broker: number; readonly controller: number },
  options: BrokerOptions,
): string {
  const properties: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${ports.broker}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'num.partitions': options.partitions ?? 4,
    'auto.create.topics.enable': 'true',
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'broker.session.timeout.ms': 1500,
    'broker.heartbeat.interval.ms': 300,
    ...options.properties,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

async function format(folder: string, libs: string, config: string): Promise<void> {
  const clusterId = randomBytes(16).toString('base64url');
  const args = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', config];
  await run('java', ['-cp', join(libs, '*'), ...args], folder).catch((cause) => {
    throw new GaitError('INPUT_UNREADABLE', `Kafka's data folder could not be formatted: ${describeError(cause)}`, {
      cause,
    });
  });
}

async function launch(folder: string, libs: string, port: number): Promise<ChildProcess> {
  // The archive of loaded classes is written when the first broker ends in order, and halves the time of every later start.
  const archive = join(libs, 'kafka.jsa');
  const classes = existsSync(archive) ? `-XX:SharedArchiveFile=${archive}` : `-XX:ArchiveClassesAtExit=${archive}`;
  const tuning = [
    `-Xmx${heapMegabytes}m`,
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-Xshare:auto',
    classes,
    '-Xlog:cds=off',
    '-Xlog:cds+dynamic=off',
  ];
  const args = [...tuning, '-cp', join(libs, '*'), 'kafka.Kafka', join(folder, 'server.properties')];
  const child = spawn('java', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const output = createWriteStream(join(folder, 'broker.log'), { flags: 'a' });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  const killWithUs = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => {
    process.off('exit', killWithUs);
    output.end();
  });
  const deadline = performance.now() + readyWithinMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) break;
    if (await answersApiVersions(port)) return child;
    await sleep(50);
  }
  child.kill('SIGKILL');
  throw new GaitError(
    'LOG_UNAVAILABLE',
    `Kafka did not become ready on port ${port}; see ${join(folder, 'broker.log')}`,
  );
}

/** An open port is not yet a broker that answers: ask for its ApiVersions (key 18, version 0), the first request of every client. */
function answersApiVersions(port: number): Promise<boolean> {
  const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    const settle = (ready: boolean): void => {
      socket.destroy();
      done(ready);
    };
    socket.setTimeout(1000, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    // Length (4), correlation id (4), error code (2): 0 is success.
    socket.once('data', (reply) => settle(reply.length >= 10 && reply.readInt16BE(8) === 0));
  });
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** What the program printed, on both streams; rejects with the end of it when it fails. */
function run(program: string, args: readonly string[], cwd?: string): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    const keep = (chunk: Buffer): void => {
      printed = (printed + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', fail);
    child.once('close', (code) =>
      code === 0 ? done(printed) : fail(new Error(`${program} ended with ${code}: ${printed.slice(-500)}`)),
    );
  });
}
