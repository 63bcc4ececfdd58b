import type { ListFilter, Page } from './paging.ts';

/**
 * What the pages of the dashboard and an analyst's tools ask. Rows as in the views; times are ISO 8601 in UTC. Each may fail with
 * STORE_UNAVAILABLE (answered 503).
 */
export type PageQueries = {
  readonly incidents: (filter: ListFilter<'state' | 'severity' | 'kind' | 'assignee' | 'q'>) => Promise<Page>;
  /** With its findings, comments and timeline. */
  readonly incident: (id: string) => Promise<object | undefined>;
  /** One file about an incident; `policy` is the Content-Security-Policy that lets it look as it should. */
  readonly report: (
    id: string,
    format: 'html' | 'markdown',
  ) => Promise<{ readonly text: string; readonly policy: string } | undefined>;
  /** With the calls around it, what is like it, what was decided, and its peers. */
  readonly context: (findingId: string) => Promise<object | undefined>;
  readonly overview: () => Promise<object>;
  readonly identities: (filter: ListFilter<'sort' | 'q' | 'kind'>) => Promise<Page>;
  readonly profile: (identity: string) => Promise<object | undefined>;
  readonly detections: () => Promise<readonly object[]>;
  readonly ingest: () => Promise<object>;
  readonly settings: () => Promise<object>;
};

/** One thing that is new. */
export type LiveMessage = {
  /** Undefined for what tells a state and need not be told again. */
  readonly id: string | undefined;
  /** `reset`: something was missed, so whoever listens reads anew what it shows. */
  readonly event: 'finding' | 'decision' | 'overview' | 'reset';
  /** JSON. */
  readonly data: string;
};

export type Live = {
  /** What is newer than the message of this id (where that is still known), then what comes. Returns how to leave. `end`: nothing will come any more. */
  readonly listen: (
    lastId: string | undefined,
    listener: { readonly tell: (message: LiveMessage) => void; readonly end: () => void },
  ) => () => void;
};
