import type { PageQueries } from '../http/page-parts.ts';
import type { Store } from '../store/clickhouse.ts';
import { createIncidentQueries } from '../store/queries-incidents.ts';
import { timelineOf } from './incident-timeline.ts';

/** What the dashboard's pages ask, from what is stored. */
export function createPages({ store }: { readonly store: Store }): PageQueries {
  const incidents = createIncidentQueries(store);
  return {
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
