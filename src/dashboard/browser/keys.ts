import type { PageName } from '../pages.ts';
import { useEffect, useRef } from './preact.ts';
import { go, linkTo } from './router.ts';

/** After `g` one more letter goes to a page. */
export const goTo: Readonly<Record<string, PageName>> = {
  o: 'overview',
  i: 'incidents',
  f: 'findings',
  u: 'identities',
  d: 'decisions',
  t: 'detections',
  n: 'ingest',
  s: 'settings',
};

const sequenceMs = 1500;

export type Keys = Readonly<Record<string, () => void>>;

const layers: { readonly current: Keys }[] = [];
let goUntil = 0;

/** Keys of a page, as long as it is shown; a later one comes before an earlier one. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    layers.unshift(latest);
    return () => void layers.splice(layers.indexOf(latest), 1);
  }, []);
}

export function listenToKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
    const target = event.target instanceof HTMLElement ? event.target : null;
    const isTyping = target?.matches('input, textarea, select') ?? false;
    if (isTyping && event.key === 'Escape') return target?.blur();
    // An open dialog has the keyboard for itself.
    if (isTyping || document.querySelector('dialog[open]') !== null) return;
    const act = event.timeStamp < goUntil ? pageJump(event.key) : actionOf(event);
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

function pageJump(key: string): (() => void) | undefined {
  goUntil = 0;
  const name = goTo[key];
  return name && (() => go(linkTo(name)));
}

function actionOf(event: KeyboardEvent): (() => void) | undefined {
  if (event.key === 'g') {
    return () => {
      goUntil = event.timeStamp + sequenceMs;
    };
  }
  return layers.find((layer) => layer.current[event.key] !== undefined)?.current[event.key];
}
