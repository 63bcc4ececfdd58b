import { GaitError } from './errors.ts';

/** One HTTP POST, made anew for each attempt (a signature covers the time of its attempt). */
export type PostRequest = {
  /** Default POST. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty: none. */
  readonly body: string;
  /** The status codes that mean delivered, in place of every 2xx; then 410 is a refusal like others. */
  readonly success?: readonly number[];
  /** How much of the answer the caller reads (default 4 KiB, for its first words). */
  readonly answerBytesMax?: number;
};

/**
 * How one attempt ended. `rejected`: the receiver understood and does not want it, trying again cannot help. `gone`: it wants nothing
 * any more (410). `failed`: it may work later, not before `retryAfterMs` if the receiver said so. `detail` is safe to show and to store.
 */
export type PostResult = {
  readonly kind: 'delivered' | 'rejected' | 'gone' | 'failed';
  readonly status: number | null;
  readonly detail: string;
  readonly retryAfterMs: number | null;
  /** The answer as it came, up to `answerBytesMax`; for a protocol to read, never to show. */
  readonly answer?: string;
};

/** Makes one attempt; never throws. The ring implements it (signal/http-post.ts), and service.ts hands it to whoever delivers. */
export type Post = (request: PostRequest, signal: AbortSignal) => Promise<PostResult>;

/** Refuses an address that would carry decisions in the clear: https, or http to this machine, unless it is allowed on purpose. */
export function checkTarget(url: string, allowInsecure = false): string {
  const { protocol, hostname, username } = URL.canParse(url)
    ? new URL(url)
    : { protocol: '', hostname: '', username: '' };
  const local = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
  if (username !== '') throw new GaitError('CONFIG_INVALID', 'a target address must not carry a user name');
  if (protocol === 'https:' || (protocol === 'http:' && (local || allowInsecure))) return url;
  throw new GaitError('CONFIG_INVALID', `a target address must begin with https://, not ${protocol || 'this'}`);
}
