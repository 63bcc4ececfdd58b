import type { PagedList } from './api.ts';
import { Filters, type FiltersProps } from './filters.tsx';
import { VirtualList, type VirtualListProps } from './virtual-list.tsx';

type Props<T> = Omit<VirtualListProps<T>, 'label'> & {
  readonly title: string;
  /** How many there are, in words. */
  readonly countOf: (rows: number) => string;
  readonly filters: FiltersProps;
  readonly list: PagedList<T>;
};

/** A page that is one list: its name, how long it is, its filters, its rows. */
export function ListPage<T>({ title, countOf, filters, ...list }: Props<T>) {
  return (
    <div class="page listing">
      <header class="head">
        <h1>{title}</h1>
        <span class="soft" role="status">
          {countOf(list.list.rows.length)}
          {!list.list.isComplete && ' so far'}
        </span>
        <Filters {...filters} />
      </header>
      <VirtualList label={title} {...list} />
    </div>
  );
}
