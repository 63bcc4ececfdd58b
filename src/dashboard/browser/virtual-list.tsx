import type { PagedList } from './api.ts';
import { useKeys } from './keys.ts';
import { type LiveEvent, useLive } from './live.ts';
import { Empty, Waiting } from './pieces.tsx';
import { type ComponentChildren, useEffect, useLayoutEffect, useRef, useState } from './preact.ts';

export type VirtualListProps<T> = {
  readonly label: string;
  readonly list: PagedList<T>;
  readonly keyOf: (row: T) => string;
  readonly linkOf: (row: T) => string;
  readonly row: (row: T) => ComponentChildren;
  readonly empty: ComponentChildren;
  /** What makes the list another one. */
  readonly live: readonly LiveEvent[];
};

/** Rows beyond the edges, so that a quick scroll shows no gap. */
const spare = 8;
/** The next page is asked for this many rows before the end of what is known. */
const ahead = 100;
const rowHeightUnknown = 64;

type View = { readonly top: number; readonly height: number; readonly rowHeight: number };

/** A list of any length: only the rows in sight exist. `j` and `k` move, Enter opens (rows are links). All rows are as tall as `--row` says. */
export function VirtualList<T>({ label, list, keyOf, linkOf, row, empty, live }: VirtualListProps<T>) {
  const box = useRef<HTMLElement>(null);
  const view = useView(box);
  const { rows } = list;
  const [isOutdated, setOutdated] = useState(false);
  // Rows do not move under the eyes of somebody who reads further down.
  useLive(live, () => ((box.current?.scrollTop ?? 0) < view.rowHeight ? list.reload() : setOutdated(true)));
  const focusAt = useRowFocus(box, view, rows.length);
  useKeys({
    j: () => focusAt(indexInFocus(box.current) + 1),
    k: () => focusAt(indexInFocus(box.current) - 1),
    ArrowDown: () => focusAt(indexInFocus(box.current) + 1),
    ArrowUp: () => focusAt(indexInFocus(box.current) - 1),
    Home: () => focusAt(0),
    End: () => focusAt(rows.length - 1),
  });
  const first = Math.max(0, Math.floor(view.top / view.rowHeight) - spare);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / view.rowHeight) + spare);
  useEffect(() => {
    if (last + ahead >= rows.length) list.more();
  });
  const renew = (): void => {
    setOutdated(false);
    list.reload();
    box.current?.scrollTo({ top: 0 });
  };
  return (
    <section class="list" ref={box} aria-busy={list.isLoading} aria-label={label}>
      {isOutdated && (
        <button type="button" class="renew" onClick={renew}>
          There is something new: show it
        </button>
      )}
      {list.error !== undefined && <Waiting error={list.error} what="list" />}
      {rows.length === 0 && list.isLoading && <Waiting error={undefined} what={label.toLowerCase()} />}
      {rows.length === 0 && !list.isLoading && list.error === undefined && <Empty>{empty}</Empty>}
      <ul style={{ height: `${rows.length * view.rowHeight}px` }}>
        {rows.slice(first, last).map((item, i) => (
          <li
            key={keyOf(item)}
            aria-setsize={list.isComplete ? rows.length : -1}
            aria-posinset={first + i + 1}
            style={{ transform: `translateY(${(first + i) * view.rowHeight}px)` }}
          >
            <a href={linkOf(item)} data-index={first + i}>
              {row(item)}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

type Box = { readonly current: HTMLElement | null };

function useView(box: Box): View {
  const [view, setView] = useState<View>({ top: 0, height: 800, rowHeight: rowHeightUnknown });
  useLayoutEffect(() => {
    const element = box.current!;
    const measure = (): void => {
      const { scrollTop: top, clientHeight: height } = element;
      const rowHeight = Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')) || rowHeightUnknown;
      setView((last) =>
        last.top === top && last.height === height && last.rowHeight === rowHeight ? last : { top, height, rowHeight },
      );
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, [box]);
  return view;
}

/** -1 when no row has the focus. */
function indexInFocus(element: HTMLElement | null): number {
  const focused = document.activeElement;
  return element?.contains(focused) && focused instanceof HTMLElement ? Number(focused.dataset.index ?? -1) : -1;
}

/** Moves the focus to a row; one that is out of sight is scrolled to first, and gets the focus when it exists. */
function useRowFocus(box: Box, view: View, count: number): (index: number) => void {
  const wanted = useRef<number | undefined>(undefined);
  const [, again] = useState(0);
  useLayoutEffect(() => {
    const link = box.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"]`);
    if (link === null || link === undefined) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  });
  return (index) => {
    const element = box.current;
    const next = Math.min(Math.max(index, 0), count - 1);
    if (element === null || next < 0) return;
    wanted.current = next;
    const top = next * view.rowHeight;
    const bottom = top + view.rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (bottom > element.scrollTop + view.height) element.scrollTop = bottom - view.height;
    again((turn) => turn + 1);
  };
}

/** A list's address with its filters; empty ones are left out. */
export function withFilters(path: string, filters: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== '')).toString();
  return query === '' ? path : `${path}?${query}`;
}
