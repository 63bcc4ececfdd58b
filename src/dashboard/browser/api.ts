import { useEffect, useRef, useState } from './preact.ts';

/** What the server said no with; status 0 when it did not answer. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Ask = {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: object;
  readonly key?: string;
  readonly signal?: AbortSignal;
};

/** Called when the server wants a key. */
let onLocked: () => void = () => {};
export function whenLocked(listener: () => void): void {
  onLocked = listener;
}

export async function ask<T>(path: string, { method = 'GET', body, key, signal }: Ask = {}): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' };
  // A page of another site cannot send it, so a session's cookie alone changes nothing.
  if (method !== 'GET') headers['x-gait-page'] = '1';
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (key !== undefined) headers.authorization = `Bearer ${key}`;
  const request = { method, headers, ...(body && { body: JSON.stringify(body) }), ...(signal && { signal }) };
  const answer = await fetch(path, request).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new ApiError(0, 'Gait does not answer.');
  });
  const said: unknown = await answer.json().catch((error: unknown) => {
    if (signal?.aborted) throw error;
  });
  // An answer that was cut off is none; only a change may be answered with nothing.
  if (said === undefined && answer.ok && method === 'GET') throw new ApiError(0, 'Gait does not answer.');
  if (answer.ok) return said as T;
  if (answer.status === 401 && key === undefined) onLocked();
  const { message } = (said as { error?: { message?: string } } | undefined)?.error ?? {};
  throw new ApiError(answer.status, message ?? `Gait answered ${answer.status}.`);
}

export type Loaded<T> = {
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
  readonly reload: () => void;
};

/** What was shown last, so that going back shows it at once while it is asked for again. */
const remembered = new Map<string, unknown>();
const rememberedMax = 60;

function remember(path: string, data: unknown): void {
  remembered.delete(path);
  remembered.set(path, data);
  if (remembered.size > rememberedMax) remembered.delete(remembered.keys().next().value!);
}

const retryMs = 3000;
const storedMs = [1000, 3000];

/** After a change: what was said is durable when it is answered, and stands in the store about a second later. */
export function lookSoon(look: () => void): void {
  look();
  for (const ms of storedMs) setTimeout(look, ms);
}

/** What is away for a moment, the server or its store, is asked again. */
function useRetry(error: ApiError | undefined, again: () => void): void {
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    if (error === undefined || (error.status !== 0 && error.status !== 503)) return;
    const timer = setTimeout(() => latest.current(), retryMs);
    return () => clearTimeout(timer);
  }, [error]);
}

/** The answer to a GET, asked again when the path changes; undefined asks nothing. */
export function useAnswer<T>(path: string | undefined): Loaded<T> {
  const [state, setState] = useState<{ path?: string; data?: T; error?: ApiError }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (path === undefined) return;
    const stop = new AbortController();
    ask<T>(path, { signal: stop.signal }).then(
      (data) => {
        remember(path, data);
        setState({ path, data });
      },
      (error: unknown) => {
        if (!stop.signal.aborted) setState({ path, error: error as ApiError });
      },
    );
    return () => stop.abort();
  }, [path, turn]);
  const reload = (): void => setTurn((last) => last + 1);
  useRetry(state.error, reload);
  const isCurrent = state.path === path;
  const old = path === undefined ? undefined : (remembered.get(path) as T | undefined);
  return {
    data: (isCurrent ? state.data : undefined) ?? old,
    error: isCurrent ? state.error : undefined,
    reload,
  };
}

export type PagedList<T> = {
  readonly rows: readonly T[];
  readonly isComplete: boolean;
  readonly isLoading: boolean;
  readonly error: ApiError | undefined;
  /** Asks for the next page; does nothing while one is under way. */
  readonly more: () => void;
  readonly reload: () => void;
};

type Paged<T> = { readonly rows: readonly T[]; readonly next: string | null | undefined; readonly isLoading: boolean };

const pageRows = 500;

/** A list that goes on from a cursor. `path` holds the filters; `name` is the field of the rows. */
export function useList<T>(path: string, name: string): PagedList<T> {
  const [state, setState] = useState<Paged<T>>({ rows: [], next: undefined, isLoading: true });
  const [error, setError] = useState<ApiError | undefined>();
  const running = useRef<AbortController | undefined>(undefined);
  const load = (cursor: string | undefined, before: readonly T[]): void => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    const joint = path.includes('?') ? '&' : '?';
    const from = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    setState((last) => ({ ...last, isLoading: true }));
    ask<Record<string, unknown>>(`${path}${joint}limit=${pageRows}${from}`, { signal: stop.signal }).then(
      (page) => {
        running.current = undefined;
        setError(undefined);
        const rows = (page[name] ?? []) as readonly T[];
        setState({
          rows: [...before, ...rows],
          next: (page.next as string | null | undefined) ?? null,
          isLoading: false,
        });
      },
      (reason: unknown) => {
        if (stop.signal.aborted) return;
        running.current = undefined;
        setError(reason as ApiError);
        setState((last) => ({ ...last, isLoading: false }));
      },
    );
  };
  useEffect(() => {
    setState({ rows: [], next: undefined, isLoading: true });
    load(undefined, []);
    return () => running.current?.abort();
  }, [path]);
  const goOn = (): void => load(state.next ?? undefined, state.next ? state.rows : []);
  useRetry(error, goOn);
  return {
    rows: state.rows,
    isComplete: state.next === null,
    isLoading: state.isLoading,
    error,
    more: () => {
      if (running.current === undefined && error === undefined && typeof state.next === 'string') goOn();
    },
    reload: () => load(undefined, []),
  };
}
