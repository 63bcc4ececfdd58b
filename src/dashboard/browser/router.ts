import { type PageName, pageOf, pages } from '../pages.ts';
import { useEffect, useState } from './preact.ts';

/** Where the reader is: the address bar is the only state of navigation, filters included, so that a link shows what its sender saw. */
export type Place = { readonly name: PageName; readonly id: string; readonly query: URLSearchParams };

const listeners = new Set<() => void>();

function currentPlace(): Place | undefined {
  const found = pageOf(location.pathname);
  return found && { ...found, query: new URLSearchParams(location.search) };
}

/** An address of ours; the id may be anything that an attacker has chosen. */
export function linkTo(name: PageName, id = '', query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return pages[name].replace(':id', encodeURIComponent(id)) + (search === '' ? '' : `?${search}`);
}

/** `replace`: a filter that is being typed is no step to go back to. */
export function go(href: string, replace = false): void {
  if (replace) history.replaceState(null, '', href);
  else history.pushState(null, '', href);
  for (const listener of listeners) listener();
  if (!replace) scrollTo(0, 0);
}

export function usePlace(): Place | undefined {
  const [place, setPlace] = useState(currentPlace);
  useEffect(() => {
    const follow = (): void => setPlace(currentPlace());
    listeners.add(follow);
    addEventListener('popstate', follow);
    return () => {
      listeners.delete(follow);
      removeEventListener('popstate', follow);
    };
  }, []);
  return place;
}

/** Plain clicks on links of ours stay in the page; everything else (new tab, elsewhere, download) is the browser's. */
export function followLinks(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (link === null || !isPlain || event.defaultPrevented || link.target !== '' || link.hasAttribute('download'))
      return;
    const to = new URL(link.href);
    if (to.origin !== location.origin || pageOf(to.pathname) === undefined || to.hash !== '') return;
    event.preventDefault();
    go(to.pathname + to.search);
  });
}
