import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, pipelines, waitFor } from './parts.ts';

/**
 * A real identity provider for the demonstration and for tests: Keycloak as its makers distribute it (fetched by Maven, kept in the
 * system's folder for temporary files), its data in memory, the realm of pipelines/keycloak/realm.json.
 */
export type Keycloak = {
  readonly address: string;
  readonly issuer: string;
  /** An administrator's call to `/admin/realms/…`. */
  readonly admin: (method: string, path: string, body?: object) => Promise<Response>;
  readonly stop: () => Promise<void>;
};

export type Tokens = {
  readonly access: string;
  readonly refresh: string;
  readonly claims: Readonly<Record<string, unknown>>;
};

const version = '26.7.0';
const administrator = { name: 'admin', password: randomBytes(12).toString('base64url') };
export const realm = 'shop';
export const alice = { name: 'alice', password: 'demo-password-of-alice' };
/** The realm's client that may end sessions. */
export const gaitClient = { id: 'gait', secret: 'demo-secret-of-gait' };
const redirect = 'http://127.0.0.1/back';

/** Why Keycloak cannot run here, or undefined when it can. */
export function keycloakMissing(): string | undefined {
  const absent = ['java', 'mvn'].filter((program) => spawnSync(program, ['-version']).error !== undefined);
  return absent.length === 0
    ? undefined
    : `${absent.join(' and ')} not found (Keycloak needs Java 17 and, once, Maven)`;
}

/** `more` are options of Keycloak's own, such as `--features=ssf`. */
export async function startKeycloak(folder: string, more: readonly string[] = []): Promise<Keycloak> {
  const home = fetchKeycloak();
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const args = ['start-dev', '--db=dev-mem', '--http-host=127.0.0.1', `--http-port=${port}`, ...more];
  const env = {
    ...process.env,
    KC_BOOTSTRAP_ADMIN_USERNAME: administrator.name,
    KC_BOOTSTRAP_ADMIN_PASSWORD: administrator.password,
    JAVA_OPTS_APPEND: '-Xmx512m -XX:TieredStopAtLevel=1',
  };
  const child = spawn(join(home, 'bin/kc.sh'), args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const log = createWriteStream(join(folder, 'keycloak.log'));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const stop = stopper(child);
  try {
    await waitFor(
      'Keycloak',
      async () => child.exitCode !== null || (await answers(`${address}/realms/master`)),
      180_000,
    );
    if (child.exitCode !== null) throw new Error(`Keycloak ended with ${child.exitCode}; see ${folder}/keycloak.log`);
    const admin = createAdmin(address);
    const made = await admin('POST', '', JSON.parse(readFileSync(join(pipelines, 'keycloak/realm.json'), 'utf8')));
    if (made.status !== 201) throw new Error(`Keycloak refused the realm: ${made.status} ${await made.text()}`);
    return { address, issuer: `${address}/realms/${realm}`, admin, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Unpacked next to its name first, so that a broken download is not taken for the whole. */
function fetchKeycloak(): string {
  const home = join(tmpdir(), `gait-keycloak-${version}`);
  if (existsSync(home)) return join(home, `keycloak-${version}`);
  const part = `${home}.part`;
  mkdirSync(part, { recursive: true });
  const pom = join(pipelines, 'keycloak/pom.xml');
  const goal = [
    '-B',
    '-q',
    '-f',
    pom,
    'dependency:unpack-dependencies',
    `-DoutputDirectory=${part}`,
    `-DmarkersDirectory=${part}/markers`,
  ];
  const maven = spawnSync('mvn', goal, { encoding: 'utf8', timeout: 400_000 });
  if (maven.status !== 0)
    throw new Error(`Maven could not fetch Keycloak: ${(maven.stdout + maven.stderr).slice(-500)}`);
  renameSync(part, home);
  return join(home, `keycloak-${version}`);
}

function createAdmin(address: string): Keycloak['admin'] {
  return async (method, path, body) => {
    const form = {
      grant_type: 'password',
      client_id: 'admin-cli',
      username: administrator.name,
      password: administrator.password,
    };
    const url = `${address}/realms/master/protocol/openid-connect/token`;
    const granted = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
    const { access_token } = (await granted.json()) as { access_token: string };
    const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' };
    return fetch(`${address}/admin/realms${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  };
}

/** Keycloak's script starts Java as a child of its own: the whole group is ended. */
function stopper(child: ChildProcess): () => Promise<void> {
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has gone already.
    }
  };
  process.once('exit', end);
  return async () => {
    process.off('exit', end);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    end();
    await gone;
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

/** A browser of one person: it keeps cookies, fills in the log-in form, and takes the code to the token endpoint (PKCE). */
export class Browser {
  readonly #cookies = new Map<string, string>();
  readonly #issuer: string;

  constructor(issuer: string) {
    this.#issuer = issuer;
  }

  /** `maxAge` as in the challenge of RFC 9470: 0 asks for the password again although there is a session. */
  async logIn(user: typeof alice, maxAge?: number): Promise<Tokens> {
    const verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      client_id: 'shop-web',
      redirect_uri: redirect,
      response_type: 'code',
      scope: 'openid',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(maxAge !== undefined && { max_age: String(maxAge) }),
    });
    const asked = await this.#visit(`${this.#issuer}/protocol/openid-connect/auth?${query}`);
    const action = /action="([^"]+)"/.exec(await asked.text())?.[1]?.replaceAll('&amp;', '&');
    if (action === undefined) throw new Error(`Keycloak showed no log-in form (status ${asked.status})`);
    const form = new URLSearchParams({ username: user.name, password: user.password });
    const answered = await this.#visit(action, { method: 'POST', body: form });
    const code = new URL(answered.headers.get('location') ?? redirect).searchParams.get('code');
    if (code === null) throw new Error(`Keycloak did not accept the log-in (status ${answered.status})`);
    return this.#token({ grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: verifier });
  }

  /** Rejects when Keycloak does not renew any more. */
  refresh(tokens: Tokens): Promise<Tokens> {
    return this.#token({ grant_type: 'refresh_token', refresh_token: tokens.refresh });
  }

  async #token(form: Record<string, string>): Promise<Tokens> {
    const body = new URLSearchParams({ ...form, client_id: 'shop-web' });
    const response = await fetch(`${this.#issuer}/protocol/openid-connect/token`, { method: 'POST', body });
    const answer = (await response.json()) as Record<string, string>;
    const { access_token: access, refresh_token: refresh } = answer;
    if (access === undefined || refresh === undefined) throw new Error(`${answer.error}: ${answer.error_description}`);
    const claims = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString()) as Tokens['claims'];
    return { access, refresh, claims };
  }

  async #visit(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.#cookies.set(name, value);
    }
    return response;
  }
}
