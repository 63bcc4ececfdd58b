import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { type Headers, HttpError } from './route.ts';

/**
 * Sessions of people at the dashboard. A key is shown once; the cookie that answers it holds no key and nothing to look up: the key's name, a time and
 * a seal over both and the key's digest. So every process that shares the HMAC key knows it, a restart forgets nobody, and a key that is changed or
 * taken out of the configuration ends its sessions.
 */
export type Sessions = {
  /** The value of a Set-Cookie header for the key of this name. */
  readonly open: (name: string, isSecure: boolean) => string;
  readonly close: string;
  /** The name of the key whose session the request carries. */
  readonly find: (headers: Headers) => string | undefined;
};

type SessionOptions = { readonly secret: string; readonly now: () => number };

/** A working day. */
const lifeSeconds = 12 * 3600;
const attributes = 'Path=/; HttpOnly; SameSite=Strict';
/** What no page of another site can send without asking first, and is never allowed to. */
const pageHeader = 'x-gait-page';

export function createSessions(keys: Config['http']['keys'], { secret, now }: SessionOptions): Sessions {
  const sealOf = (name: string, until: string): Buffer | undefined => {
    const key = keys.find((each) => each.name === name);
    const sealed = `gait session\0${until}\0${key?.sha256}\0${name}`;
    return key && createHmac('sha256', secret).update(sealed).digest();
  };
  return {
    open: (name, isSecure) => {
      const until = String(Math.floor(now() / 1000) + lifeSeconds);
      const seal = sealOf(name, until)?.toString('base64url') ?? '';
      const value = `${Buffer.from(name).toString('base64url')}.${until}.${seal}`;
      return `gait_session=${value}; Max-Age=${lifeSeconds}; ${attributes}${isSecure ? '; Secure' : ''}`;
    },
    close: `gait_session=; Max-Age=0; ${attributes}`,
    find: ({ cookie }) => {
      const [, encoded = '', until = '', seal = ''] =
        /(?:^|;\s*)gait_session=([\w-]{1,400})\.(\d{1,12})\.([\w-]{43})(?:;|$)/.exec(String(cookie ?? '')) ?? [];
      const name = Buffer.from(encoded, 'base64url').toString();
      const expected = Number(until) * 1000 > now() ? sealOf(name, until) : undefined;
      return expected && timingSafeEqual(expected, Buffer.from(seal, 'base64url')) ? name : undefined;
    },
  };
}

/** A cookie comes along by itself, so a request that changes anything must also carry what only our own page sends. */
export function checkOwnPage(headers: Headers): void {
  const site = headers['sec-fetch-site'];
  if (headers[pageHeader] === undefined || (site !== undefined && site !== 'same-origin')) {
    throw new HttpError(403, 'origin-not-allowed', { message: 'a page of another site may not write here' });
  }
}
