import { readFileSync } from 'node:fs';
import { GaitError } from '../core/errors.ts';
import { checkTarget } from '../core/post.ts';
import type { Environment } from './environment.ts';
import { Secret } from './secret.ts';

/** Where a running Gait is, and what it knows us by. */
export type ApiAccess = {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: Secret | undefined;
};

export type ApiAccessOptions = {
  readonly url?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly allowInsecure?: boolean | undefined;
};

const defaultUrl = 'http://127.0.0.1:4420';

/**
 * The key comes from a file or the environment and never as an argument: everybody on a machine can read the arguments of a process.
 * An option wins over the environment, a file over `GAIT_KEY`.
 */
export function readApiAccess(options: ApiAccessOptions, env: Environment = process.env): ApiAccess {
  const url = (options.url ?? env.GAIT_URL) || defaultUrl;
  const file = (options.keyFile ?? env.GAIT_KEY_FILE) || undefined;
  const text = (file === undefined ? env.GAIT_KEY : readKeyFile(file))?.trim();
  if (text !== undefined && text !== '' && !/^[\x21-\x7e]+$/.test(text)) {
    throw new GaitError('USAGE', `${file ?? 'GAIT_KEY'}: expected one key and nothing else`);
  }
  try {
    checkTarget(url, options.allowInsecure);
  } catch {
    throw new GaitError(
      'USAGE',
      '--url: expected https:// and no user name, or http:// of this machine (--allow-insecure takes any http://, where others can read along)',
    );
  }
  return { url: url.replace(/\/+$/, ''), key: text ? new Secret(text) : undefined };
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new GaitError('USAGE', `${path}: the key cannot be read`, { cause });
  }
}
