import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { createServer as createSocketServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The processes around Gait, each the real product with the configuration that is shipped, other ports and paths put in. */
export type Part = { readonly stop: () => Promise<void> };

export const pipelines = join(import.meta.dirname, '../../pipelines');

export function missingPrograms(): string | undefined {
  const absent = [
    ['nginx', '-v'],
    ['rsyslogd', '-v'],
  ].flatMap(([program = '', flag = '']) => (spawnSync(program, [flag]).error === undefined ? [] : [program]));
  return absent.length === 0
    ? undefined
    : `${absent.join(' and ')} not found (Debian: apt-get install nginx-light rsyslog rsyslog-kafka)`;
}

export async function waitFor(what: string, isSo: () => boolean | Promise<boolean>, withinMs: number): Promise<void> {
  for (const deadline = performance.now() + withinMs; !(await isSo()); await sleep(20)) {
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createSocketServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** `isReady` is asked again and again; a process that ends before is an error with what it had to say. */
export async function startProgram(
  command: readonly string[],
  of: {
    readonly folder: string;
    readonly name: string;
    readonly isReady: () => Promise<boolean>;
    /** Besides our own. */
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<Part> {
  const [program = '', ...args] = command;
  const env = { ...process.env, ...of.env };
  const child = spawn(program, args, { cwd: of.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const file = join(of.folder, `${of.name}.out`);
  const log = createWriteStream(file);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const killWithUs = (): boolean => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  await waitFor(of.name, async () => hasEnded(child) || (await of.isReady()), 30_000);
  if (hasEnded(child)) throw new Error(`${of.name} ended at once: ${readFileSync(file, 'utf8').slice(-1000)}`);
  return {
    stop: async () => {
      if (hasEnded(child)) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The small API behind nginx. It takes a token for good when its issuer does: that is what `verify` asks. */
export async function startApi(
  verify: (bearer: string) => Promise<boolean>,
): Promise<Part & { readonly port: number }> {
  const server = createServer((call, response) => {
    const bearer = /^Bearer (.+)$/.exec(call.headers.authorization ?? '')?.[1];
    void (bearer === undefined ? Promise.resolve(false) : verify(bearer)).then((isGood) => {
      response.statusCode = isGood ? 200 : 401;
      response.setHeader('content-type', 'application/json');
      response.end(isGood ? JSON.stringify({ path: call.url, text: 'x'.repeat(1500) }) : '{"error":"unauthorized"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export type NginxPorts = { readonly own: number; readonly gait: number; readonly api: number };

/** pipelines/enforce/nginx.conf, and its log in `folder/logs/access.log`. */
export async function startNginx(folder: string, ports: NginxPorts): Promise<Part> {
  mkdirSync(join(folder, 'logs'), { recursive: true });
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (each) => `${each}_temp_path ${folder}/${each};`,
  );
  const config = replaceAll(readFileSync(join(pipelines, 'enforce/nginx.conf'), 'utf8'), [
    ['../ingest/nginx.conf', join(pipelines, 'ingest/nginx.conf')],
    ['127.0.0.1:4420', `127.0.0.1:${ports.gait}`],
    ['127.0.0.1:8080', `127.0.0.1:${ports.api}`],
    ['127.0.0.1:8000', `127.0.0.1:${ports.own}`],
    ['http {', `http {\n${places.join('\n')}`],
  ]);
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, `${user}daemon off; pid ${folder}/nginx.pid; worker_processes 1;\n${config}`);
  const isReady = (): Promise<boolean> =>
    call({ port: ports.own, path: '/' }).then(
      () => true,
      () => false,
    );
  const command = ['nginx', '-p', folder, '-c', file, '-e', join(folder, 'logs/error.log')];
  return startProgram(command, { folder, name: 'nginx', isReady });
}

/** rsyslog follows nginx's log and sends each line to Kafka as it is: pipelines/ingest/rsyslog.conf. */
export async function startRsyslog(folder: string, broker: string): Promise<Part> {
  const config = replaceAll(readFileSync(join(pipelines, 'ingest/rsyslog.conf'), 'utf8'), [
    ['/var/log/nginx/access.log', join(folder, 'logs/access.log')],
    ['/var/spool/rsyslog', folder],
    ['127.0.0.1:9092', broker],
  ]);
  const file = join(folder, 'rsyslog.conf');
  writeFileSync(file, config);
  const command = ['rsyslogd', '-n', '-f', file, '-i', join(folder, 'rsyslog.pid')];
  return startProgram(command, { folder, name: 'rsyslog', isReady: () => Promise.resolve(true) });
}

/** Every replacement must find its place: a configuration that was changed must not be tried half replaced. */
function replaceAll(text: string, pairs: readonly (readonly [string, string])[]): string {
  return pairs.reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`the shipped configuration has no ${from} any more`);
    return changed.replaceAll(from, to);
  }, text);
}

export type Called = { readonly status: number; readonly challenge: string; readonly decision: string };

/** One call; `from` is the client's own address: every address of 127.0.0.0/8 is this machine. */
export function call(to: {
  readonly port: number;
  readonly path: string;
  readonly token?: string;
  readonly from?: string;
  readonly agent?: string;
}): Promise<Called> {
  const headers = {
    host: 'shop.example',
    'user-agent': to.agent ?? 'demo',
    ...(to.token !== undefined && { authorization: `Bearer ${to.token}` }),
  };
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: to.port, path: to.path, headers, agent: false, localAddress: to.from };
    const asked = request(options, (response) => {
      response.resume();
      const { 'www-authenticate': challenge = '', 'x-gait-decision': decision = '' } = response.headers;
      response.once('end', () => resolve({ status: response.statusCode ?? 0, challenge, decision: String(decision) }));
    });
    asked.once('error', reject).end();
  });
}
