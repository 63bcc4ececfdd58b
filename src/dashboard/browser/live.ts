import { useEffect, useRef, useState } from './preact.ts';

/** What the server tells by itself: one connection for the whole page, opened again for as long as the page is open. */
export type LiveEvent = 'finding' | 'decision' | 'overview';
export type LiveState = 'connecting' | 'live' | 'away';

const kinds: readonly LiveEvent[] = ['finding', 'decision', 'overview'];
const retryFirstMs = 1000;
const retryMaxMs = 30_000;

const listeners = new Set<(kind: LiveEvent) => void>();
const stateListeners = new Set<(state: LiveState) => void>();
let state: LiveState = 'connecting';
let stream: EventSource | undefined;
let retryMs = retryFirstMs;

export function connect(): void {
  if (stream !== undefined) return;
  const source = new EventSource('/v1/stream');
  stream = source;
  source.onopen = () => {
    // What happened while it was away is asked for again.
    if (state === 'away') kinds.forEach(tell);
    retryMs = retryFirstMs;
    setState('live');
  };
  source.onerror = () => {
    setState('away');
    // The browser tries again by itself after a connection was cut; after an answer that is no stream it is ours to.
    if (source.readyState !== EventSource.CLOSED) return;
    stream = undefined;
    setTimeout(connect, retryMs);
    retryMs = Math.min(retryMs * 2, retryMaxMs);
  };
  for (const kind of kinds) source.addEventListener(kind, () => tell(kind));
  // Too much was missed to be told again.
  source.addEventListener('reset', () => kinds.forEach(tell));
}

function tell(kind: LiveEvent): void {
  for (const listener of listeners) listener(kind);
}

function setState(next: LiveState): void {
  state = next;
  for (const listener of stateListeners) listener(next);
}

export function useLiveState(): LiveState {
  const [shown, setShown] = useState(state);
  useEffect(() => {
    stateListeners.add(setShown);
    setShown(state);
    return () => void stateListeners.delete(setShown);
  }, []);
  return shown;
}

/** Rows reach the store a moment after they are told of; where that takes longer, the second look finds them. */
const looksMs = [1000, 5000];

/** Calls back soon after something of these kinds happened, and once more a little later; a flood of news is one. */
export function useLive(wanted: readonly LiveEvent[], act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  const key = wanted.join();
  useEffect(() => {
    const waiting = new Map<number, ReturnType<typeof setTimeout>>();
    const listener = (kind: LiveEvent): void => {
      if (!key.split(',').includes(kind)) return;
      for (const ms of looksMs.filter((each) => !waiting.has(each))) {
        const look = (): void => {
          waiting.delete(ms);
          latest.current();
        };
        waiting.set(ms, setTimeout(look, ms));
      }
    };
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      for (const timer of waiting.values()) clearTimeout(timer);
    };
  }, [key]);
}
