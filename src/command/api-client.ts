import { type ApiAccess, type ApiAccessOptions, readApiAccess } from '../config/api-access.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { visible } from '../core/visible.ts';

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Talks to a running Gait. Answers are what it says, unchecked: whoever prints them makes them harmless first. */
export type ApiClient = {
  readonly get: (path: string, query?: Query) => Promise<unknown>;
  readonly send: (method: 'POST' | 'DELETE', path: string, body?: object) => Promise<unknown>;
};

/** Of an answer; a page of 500 findings is a tenth of it. */
const answerBytesMax = 32 * 1024 * 1024;

/** Its calls throw API_UNAVAILABLE when nobody answers or the part that is asked is away, API_REFUSED with what Gait says of them. */
export function createApiClient(options: ApiAccessOptions): ApiClient {
  const access = readApiAccess(options);
  return {
    get: (path, query = {}) => {
      const given = new URLSearchParams();
      for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
      const search = given.toString();
      return call(access, `${path}${search === '' ? '' : `?${search}`}`, { method: 'GET' });
    },
    send: (method, path, body) => call(access, path, { method, ...(body && { body: JSON.stringify(body) }) }),
  };
}

/** A name as one segment of a path. Dots alone would be taken for a step, encoded or not. */
export function segment(name: string): string {
  if (/^\.{0,2}$/.test(name)) throw new GaitError('USAGE', `'${name}' names nothing`);
  return encodeURIComponent(name.replace(/\p{Cs}/gu, '\ufffd'));
}

async function call(access: ApiAccess, path: string, request: Request): Promise<unknown> {
  const { response, body } = await exchange(access, path, request);
  const answer = parsed(body);
  if (response.ok && (answer !== undefined || body.length === 0)) return answer;
  throw refusal(access, response, body);
}

type Request = {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly body?: string;
  readonly type?: string;
  readonly timeoutMs?: number;
  readonly bytesMax?: number;
};
export type Exchanged = { readonly response: Response; readonly body: Buffer };

/** One request and its answer, whatever its status. API_UNAVAILABLE when nobody answers, API_REFUSED when the answer is too large. */
export async function exchange({ url, key }: ApiAccess, path: string, request: Request): Promise<Exchanged> {
  const { method, body, type = 'application/json', timeoutMs = 30_000, bytesMax = answerBytesMax } = request;
  const headers = {
    accept: 'application/json',
    ...(body !== undefined && { 'content-type': type }),
    ...(key && { authorization: `Bearer ${key.reveal()}` }),
  };
  try {
    // Redirects are not followed: the key is meant for this address.
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(`${url}${path}`, {
      method,
      headers,
      redirect: 'manual',
      signal,
      ...(body !== undefined && { body }),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new GaitError('API_REFUSED', `the answer is larger than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
    return { response, body: Buffer.concat(chunks) };
  } catch (cause) {
    if (cause instanceof GaitError) throw cause;
    const reason = reasonOf(cause, timeoutMs);
    throw new GaitError(
      'API_UNAVAILABLE',
      `no Gait answers at ${url}: ${reason} (--url or GAIT_URL says where it is)`,
      { cause },
    );
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What the answer says, in a sentence that says what to do about it. */
export function refusal({ key }: ApiAccess, { status, headers }: Response, body: Buffer): GaitError {
  const said = (parsed(body) as { error?: { message?: unknown } } | null | undefined)?.error?.message;
  if (typeof said !== 'string') {
    return new GaitError('API_REFUSED', `HTTP ${status}, and not as Gait answers: is this its address?`);
  }
  const message = visible(said, 500);
  switch (status) {
    case 400:
      return new GaitError('USAGE', message);
    case 401:
      return new GaitError(
        'API_REFUSED',
        key !== undefined ? 'the key was not accepted' : 'a key is needed: GAIT_KEY, or --key-file',
      );
    case 429:
    case 503: {
      const wait = /^\d{1,6}$/.exec(headers.get('retry-after') ?? '')?.[0];
      return new GaitError('API_UNAVAILABLE', wait === undefined ? message : `${message}; try again in ${wait} s`);
    }
    default:
      return new GaitError('API_REFUSED', message);
  }
}

/** What fetch itself says is "fetch failed"; why stands behind it. */
function reasonOf(error: unknown, timeoutMs: number): string {
  const { cause, name } = error as { cause?: { code?: unknown; message?: unknown }; name?: unknown };
  if (name === 'TimeoutError') return `nothing within ${timeoutMs / 1000} s`;
  return visible(String(cause?.code ?? cause?.message ?? describeError(error)), 200);
}
