import type { ListFilter, Page } from './paging.ts';

/**
 * What the pages of the dashboard and an analyst's tools ask. Rows as in the views; times are ISO 8601 in UTC. Each may fail with
 * STORE_UNAVAILABLE (answered 503).
 */
export type PageQueries = {
  readonly incidents: (filter: ListFilter<'state' | 'severity' | 'kind' | 'assignee' | 'q'>) => Promise<Page>;
  /** With its findings, comments and timeline. */
  readonly incident: (id: string) => Promise<object | undefined>;
  /** With the calls around it, what is like it, what was decided, and its peers. */
  readonly context: (findingId: string) => Promise<object | undefined>;
};
