import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort, type Gait, pipelines, startProduct, until } from './enforcement.ts';

export type Gateway = {
  readonly call: (headers: Record<string, string>, path?: string) => Promise<Response>;
  /** The records of the access log, once there are so many. */
  readonly logged: (count: number) => Promise<readonly Record<string, unknown>[]>;
};

/** The shipped configuration with other ports; everything it writes goes into a folder of its own. */
export async function startNginx(
  t: TestContext,
  gait: Pick<Gait, 'port'>,
  api: { readonly port: number },
): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'gait-nginx-'));
  const port = await freePort();
  mkdirSync(join(folder, 'logs'));
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const shipped = readFileSync(join(pipelines, 'enforce/nginx.conf'), 'utf8');
  const config = shipped
    .replace('../ingest/nginx.conf', join(pipelines, 'ingest/nginx.conf'))
    .replace('127.0.0.1:4420', `127.0.0.1:${gait.port}`)
    .replace('127.0.0.1:8080', `127.0.0.1:${api.port}`)
    .replace('127.0.0.1:8000', `127.0.0.1:${port}`)
    .replace('http {', `http {\n${paths.join('\n')}`);
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  writeFileSync(
    join(folder, 'nginx.conf'),
    `${user}daemon off; pid ${folder}/nginx.pid; worker_processes 1;\n${config}`,
  );
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'logs/error.log')];
  await startProduct(t, ['nginx', ...args], { port, cwd: folder, stop: 'SIGQUIT' });
  t.after(() => rmSync(folder, { recursive: true }));
  const records = (): Record<string, unknown>[] =>
    readFileSync(join(folder, 'logs/access.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ uri }) => uri !== '/up');
  return {
    call: (headers, path = '/orders/1') => fetch(`http://127.0.0.1:${port}${path}`, { headers }),
    logged: (count) => until(() => (records().length >= count ? records() : undefined), 'the access log'),
  };
}
