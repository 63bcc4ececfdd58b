import type { PagedList } from './api.ts';
import { useKeys } from './keys.ts';
import { Empty, Waiting } from './pieces.tsx';
import { type ComponentChildren, useEffect, useLayoutEffect, useRef, useState } from './preact.ts';
import { go } from './router.ts';

type Props<T> = {
  readonly label: string;
  readonly list: PagedList<T>;
  readonly keyOf: (row: T) => string;
  readonly linkOf: (row: T) => string;
  readonly row: (row: T) => ComponentChildren;
  readonly empty: ComponentChildren;
};

/** Rows beyond the edges, so that a quick scroll shows no gap. */
const spare = 8;
/** The next page is asked for this many rows before the end of what is known. */
const ahead = 100;

/** A list of any length: only the rows in sight exist. `j` and `k` move, Enter opens (rows are links). All rows are as tall as `--row` says. */
export function VirtualList<T>({ label, list, keyOf, linkOf, row, empty }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, rowHeight: 64 });
  const [chosen, setChosen] = useState<number>(-1);
  const mustFocus = useRef(false);
  const { rows } = list;
  useLayoutEffect(() => {
    const element = box.current!;
    const measure = (): void =>
      setView({
        top: element.scrollTop,
        height: element.clientHeight,
        rowHeight: Number.parseFloat(getComputedStyle(element).getPropertyValue('--row')) || 64,
      });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener('scroll', measure, { passive: true });
    measure();
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, []);
  const first = Math.max(0, Math.floor(view.top / view.rowHeight) - spare);
  const last = Math.min(rows.length, Math.ceil((view.top + view.height) / view.rowHeight) + spare);
  useEffect(() => {
    if (last + ahead >= rows.length) list.more();
  });
  const choose = (index: number): void => {
    const next = Math.min(Math.max(index, 0), rows.length - 1);
    const element = box.current;
    if (next < 0 || element === null) return;
    setChosen(next);
    mustFocus.current = true;
    const top = next * view.rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + view.rowHeight > element.scrollTop + view.height)
      element.scrollTop = top + view.rowHeight - view.height;
  };
  useLayoutEffect(() => {
    if (!mustFocus.current) return;
    const link = box.current?.querySelector<HTMLElement>(`[data-index="${chosen}"]`);
    if (link === null || link === undefined) return;
    mustFocus.current = false;
    link.focus({ preventScroll: true });
  });
  useKeys({
    j: () => choose(chosen + 1),
    k: () => choose(chosen - 1),
    ArrowDown: () => choose(chosen + 1),
    ArrowUp: () => choose(chosen - 1),
    Home: () => choose(0),
    Enter: () => {
      const link = document.activeElement instanceof HTMLAnchorElement ? document.activeElement.href : undefined;
      const target = rows[chosen];
      if (link !== undefined) go(new URL(link).pathname + new URL(link).search);
      else if (target !== undefined) go(linkOf(target));
    },
  });
  const shown = rows.slice(first, last);
  return (
    <div class="list" ref={box} aria-busy={list.isLoading}>
      {rows.length === 0 && list.isLoading && <Waiting error={undefined} what={label.toLowerCase()} />}
      {list.error !== undefined && <Waiting error={list.error} what="list" />}
      {rows.length === 0 && !list.isLoading && list.error === undefined && <Empty>{empty}</Empty>}
      <ul aria-label={label} style={{ height: `${rows.length * view.rowHeight}px` }}>
        {shown.map((item, i) => (
          <li
            key={keyOf(item)}
            aria-setsize={list.isComplete ? rows.length : -1}
            aria-posinset={first + i + 1}
            style={{ transform: `translateY(${(first + i) * view.rowHeight}px)` }}
          >
            <a href={linkOf(item)} data-index={first + i} onFocus={() => setChosen(first + i)}>
              {row(item)}
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}
