import type { PageQueries } from '../http/page-parts.ts';
import type { Store } from '../store/clickhouse.ts';
import type { StoreQueries } from '../store/queries.ts';
import { createContextQuery } from '../store/queries-context.ts';
import { createIncidentQueries } from '../store/queries-incidents.ts';
import { timelineOf } from './incident-timeline.ts';

/** What the dashboard's pages ask, from what is stored. */
export type PagesOptions = { readonly store: Store; readonly queries: StoreQueries };

export function createPages({ store, queries }: PagesOptions): PageQueries {
  const contextOf = createContextQuery(store);
  const incidents = createIncidentQueries(store);
  return {
    context: async (id) => {
      const finding = await queries.finding(id);
      return finding && contextOf(finding);
    },
    incidents: incidents.incidents,
    incident: async (id) => {
      const parts = await incidents.incident(id);
      if (parts === undefined) return undefined;
      const comments = parts.notes.filter(({ kind }) => kind === 'comment');
      return {
        ...parts.incident,
        findings: parts.findings,
        decisions: parts.decisions,
        comments: comments.map(({ note_id, at, who, text }) => ({ note_id, at, who, text })),
        timeline: timelineOf(parts),
      };
    },
  };
}
