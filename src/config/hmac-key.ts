import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GaitError } from '../core/errors.ts';
import { makeFolder } from '../core/folder.ts';
import type { Config } from './config.ts';
import { Secret } from './secret.ts';

/**
 * The key of the HMAC that stands in for secrets: the configured one, else `<dataDir>/hmac.key`, which is made on the first start with
 * 256 random bits and mode 0600. Two processes that start at once end up with the same one. Losing it makes every API key a new identity.
 * Fails with STATE_INVALID when the file cannot be made or read, or is cut short.
 */
export function loadHmacKey(config: Config): Secret {
  if (config.ingest.hmacKey !== undefined) return config.ingest.hmacKey;
  const path = join(config.dataDir, 'hmac.key');
  try {
    return read(path) ?? create(config.dataDir, path);
  } catch (cause) {
    if (cause instanceof GaitError) throw cause;
    throw new GaitError('STATE_INVALID', `the key file ${path} cannot be read or written`, { cause });
  }
}

function read(path: string): Secret | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new GaitError('STATE_INVALID', `${path} does not hold a key of 64 hex digits`);
  return new Secret(text);
}

/** Written whole under another name first, then linked: a reader sees the full key or none, and the first one to link wins. */
function create(folder: string, path: string): Secret {
  makeFolder(folder, 0o700);
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  chmodSync(draft, 0o600);
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  const key = read(path);
  if (key === undefined) throw new GaitError('STATE_INVALID', `${path} went away while it was made`);
  return key;
}
