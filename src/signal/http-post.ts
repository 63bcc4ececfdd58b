import { abortsWith } from '../core/aborts-with.ts';
import type { Clock } from '../core/clock.ts';
import type { Post, PostRequest, PostResult } from '../core/post.ts';

export type HttpPostOptions = {
  readonly clock: Clock;
  /** Connect, send and read together. */
  readonly timeoutMs?: number;
};

/** An answer is read this far, for its first words; the rest is not waited for. */
const answerBytesMax = 4096;
const detailLengthMax = 120;
/** A receiver cannot park us for longer. */
const retryAfterMaxMs = 3_600_000;

/** POST through Node's own fetch. Redirects are not followed, wherever they lead: what is signed for one address goes to no other. */
export function createHttpPost({ clock, timeoutMs = 10_000 }: HttpPostOptions): Post {
  return async (request, signal) => {
    const attempt = abortsWith(signal);
    const timer = setTimeout(() => attempt.abort(new DOMException('timed out', 'TimeoutError')), timeoutMs);
    try {
      const response = await fetch(request.url, {
        method: request.method ?? 'POST',
        headers: request.headers,
        body: request.body === '' ? null : request.body,
        redirect: 'manual',
        signal: attempt.signal,
      });
      const answer = await firstBytes(response, request.answerBytesMax ?? answerBytesMax);
      const words = answer.slice(0, answerBytesMax);
      const detail = safe(`HTTP ${response.status} ${words}`, request);
      return { ...judge(response, { detail, clock, success: request.success }), answer };
    } catch (error) {
      return { kind: 'failed', status: null, detail: safe(causeOf(error), request), retryAfterMs: null };
    } finally {
      clearTimeout(timer);
      attempt.release();
    }
  };
}

type Judging = { readonly detail: string; readonly clock: Clock; readonly success: PostRequest['success'] };

function judge({ status, headers }: Response, { detail, clock, success }: Judging): PostResult {
  const end = (kind: PostResult['kind'], retryAfterMs: number | null = null): PostResult => ({
    kind,
    status,
    detail,
    retryAfterMs,
  });
  if (success?.includes(status) ?? (status >= 200 && status < 300)) return end('delivered');
  if (status === 410 && success === undefined) return end('gone');
  if (status >= 500 || status === 408 || status === 429) {
    return end('failed', retryAfterMs(headers.get('retry-after'), clock));
  }
  return end('rejected');
}

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterMs(header: string | null, clock: Clock): number | null {
  if (header === null) return null;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - clock.now();
  return Number.isFinite(ms) ? Math.min(retryAfterMaxMs, Math.max(0, ms)) : null;
}

async function firstBytes(response: Response, bytesMax: number): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < bytesMax) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    bytes += value.length;
  }
  await reader.cancel();
  return Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8');
}

/** The reason that fetch hides in its cause, such as ECONNREFUSED. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'request failed';
  if (error.name === 'TimeoutError') return 'timed out';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.message;
}

/** Printable, short, without what we authenticate with, and without the address's path and query: in Slack's webhooks they are the secret. */
function safe(text: string, request: PostRequest): string {
  const { pathname, search } = new URL(request.url);
  const secret = pathname.length > 1 ? `${pathname}${search}` : search;
  const ours = Object.values(request.headers).flatMap((value) => [value, value.split(' ').at(-1) ?? '']);
  return [secret, pathname.slice(1), ...ours]
    .filter((each) => each.length > 3)
    .reduce((shown, each) => shown.replaceAll(each, '…'), text)
    .replace(/[^\x20-\x7e…]+/g, ' ')
    .trim()
    .slice(0, detailLengthMax);
}
