import { type ApiAccess, type ApiAccessOptions, readApiAccess } from '../config/api-access.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { visible } from '../core/visible.ts';

export type Query = Readonly<Record<string, string | number | undefined>>;

/** Talks to a running Gait. Answers are what it says, unchecked: whoever prints them makes them harmless first. */
export type ApiClient = {
  readonly get: (path: string, query?: Query) => Promise<unknown>;
  readonly send: (method: 'POST' | 'DELETE', path: string, body?: object) => Promise<unknown>;
};

const timeoutMs = 30_000;
/** Of an answer; a page of 500 findings is a tenth of it. */
const answerBytesMax = 32 * 1024 * 1024;

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

async function call({ url, key }: ApiAccess, path: string, init: RequestInit): Promise<unknown> {
  const headers = {
    accept: 'application/json',
    ...(init.body !== undefined && { 'content-type': 'application/json' }),
    ...(key && { authorization: `Bearer ${key.reveal()}` }),
  };
  let response: Response;
  let text: string;
  try {
    // Redirects are not followed: the key is meant for this address.
    response = await fetch(`${url}${path}`, {
      ...init,
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    text = await textOf(response);
  } catch (cause) {
    if (cause instanceof GaitError) throw cause;
    throw new GaitError(
      'API_UNAVAILABLE',
      `no Gait answers at ${url}: ${reasonOf(cause)} (--url or GAIT_URL says where it is)`,
      { cause },
    );
  }
  const body = parsed(text);
  if (response.ok && (body !== undefined || text === '')) return body;
  throw refusal(response, body, key !== undefined);
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > answerBytesMax) throw new GaitError('API_REFUSED', `the answer is larger than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the answer says, in a sentence that says what to do about it. */
function refusal(response: Response, body: unknown, hasKey: boolean): GaitError {
  const { status, headers } = response;
  const said = (body as { error?: { message?: unknown } } | null | undefined)?.error?.message;
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
        hasKey ? 'the key was not accepted' : 'a key is needed: GAIT_KEY, or --key-file',
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
function reasonOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: unknown; message?: unknown }; name?: unknown };
  if (name === 'TimeoutError') return `nothing within ${timeoutMs / 1000} s`;
  return visible(String(cause?.code ?? cause?.message ?? describeError(error)), 200);
}
