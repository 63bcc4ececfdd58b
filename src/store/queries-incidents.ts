import type { FindingKind, Severity } from '../core/words.ts';
import type { Store } from './clickhouse.ts';
import { eventsOf } from './event-rows.ts';
import { type Page, type Paging, readPage } from './page.ts';
import {
  type DecisionRow,
  decisionColumns,
  type EventRow,
  type FindingRow,
  findingColumns,
  type ReceiptRow,
  type StoredFinding,
  toFinding,
} from './queries.ts';

/** Findings that belong together. `state` is `closed` when a person closed it and nothing was found since, or when all its findings are. */
export type IncidentRow = {
  readonly incident_id: string;
  readonly state: 'open' | 'closed';
  /** The highest of its findings. */
  readonly severity: Severity;
  readonly title: string;
  readonly tenant: string;
  /** At most 20 of `identity_count`. */
  readonly identities: readonly string[];
  readonly identity_count: number;
  readonly kinds: readonly FindingKind[];
  readonly finding_count: number;
  readonly open_count: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly risk: number;
  /** Empty: nobody. */
  readonly assignee: string;
};

export type CaseNoteRow = {
  readonly note_id: string;
  readonly at: string;
  readonly who: string;
  readonly kind: 'comment' | 'assign' | 'close' | 'reopen';
  readonly text: string;
};

export type VerdictRow = {
  readonly verdict_id: string;
  readonly finding_id: string;
  readonly identity: string;
  readonly verdict: string;
  readonly by: string;
  readonly note: string;
  readonly at: string;
  readonly state: 'given' | 'undone';
};

/** What is known of an incident in a list: `verdict` is the newest that stands on one of its findings, empty without one. */
export type ListedIncident = IncidentRow & { readonly actions: readonly string[]; readonly verdict: string };

export type IncidentFilter = Paging & {
  readonly state?: string | undefined;
  readonly severity?: string | undefined;
  readonly kind?: string | undefined;
  /** Empty: nobody's. */
  readonly assignee?: string | undefined;
  /** A part of the title, an identity or the id, in any case. */
  readonly q?: string | undefined;
};

/** All that an incident consists of, each part up to its limit and the newest first, but the notes the oldest first. */
export type IncidentParts = {
  readonly incident: IncidentRow;
  readonly findings: readonly FindingRow[];
  readonly decisions: readonly DecisionRow[];
  readonly receipts: readonly (ReceiptRow & { readonly decision_id: string })[];
  readonly notes: readonly CaseNoteRow[];
  /** On its findings, the oldest first. */
  readonly verdicts: readonly VerdictRow[];
  /** Those that findings name as examples. */
  readonly events: readonly EventRow[];
};

export type IncidentQueries = {
  readonly incidents: (filter: IncidentFilter) => Promise<Page<ListedIncident>>;
  readonly head: (incidentId: string) => Promise<IncidentRow | undefined>;
  readonly incident: (incidentId: string) => Promise<IncidentParts | undefined>;
};

/** What is shown of one incident. Further findings are in `/v1/findings`. */
const partsMax = { findings: 200, decisions: 200, receipts: 500, notes: 1000, verdicts: 500, events: 500 };

const incidentColumns = `incident_id, state, severity, title, tenant, identities, identity_count, kinds, finding_count, open_count, first_seen,
  last_seen, risk, assignee`;

export function createIncidentQueries(store: Store): IncidentQueries {
  const head = async (id: string): Promise<IncidentRow | undefined> => {
    const sql = `SELECT ${incidentColumns} FROM ${store.database}.incidents WHERE incident_id = {id:String}`;
    return (await store.query<IncidentRow>(sql, { id }))[0];
  };
  return {
    head,
    incidents: async (filter) => {
      const page = await readIds(store, filter);
      const ids = page.rows.map(({ incident_id }) => incident_id);
      const [rows, actions, verdicts] = await Promise.all([
        incidentsOf(store, ids),
        actionsOf(store, ids),
        verdictsOf(store, ids),
      ]);
      const told = (row: IncidentRow): ListedIncident => {
        const { incident_id: id } = row;
        return { ...row, actions: actions.get(id) ?? [], verdict: verdicts.get(id) ?? '' };
      };
      return { ...page, rows: rows.map(told) };
    },
    incident: async (id) => {
      const incident = await head(id);
      return incident && readParts(store, incident);
    },
  };
}

/** Ids first: the texts of all incidents are much to read for a page of them. */
function readIds(store: Store, { kind, assignee, q, identity, ...filter }: IncidentFilter) {
  const db = store.database;
  const { state, severity, ...paging } = filter;
  const list = { view: 'incidents', columns: 'incident_id', id: 'incident_id', time: 'last_seen' };
  const text = q === undefined || q === '' ? undefined : q;
  // One finding is enough, so the condition stands before the findings are put together.
  const conditions = [
    ...(kind === undefined ? [] : ['kind = {kind:String}']),
    ...(identity === undefined ? [] : ['identity = {identity:String}']),
    ...(text === undefined
      ? []
      : [
          '(positionCaseInsensitiveUTF8(title, {q:String}) > 0 OR positionCaseInsensitiveUTF8(identity, {q:String}) > 0 OR incident_id = {q:String})',
        ]),
  ];
  const where =
    conditions.length === 0
      ? []
      : [`incident_id IN (SELECT incident_id FROM ${db}.findings WHERE ${conditions.join(' AND ')})`];
  return readPage<Pick<IncidentRow, 'incident_id'>>(store, list, {
    ...paging,
    equals: { state, severity, assignee },
    where,
    bound: { kind, identity, q: text },
  });
}

/** In the order of the ids. */
async function incidentsOf(store: Store, ids: readonly string[]): Promise<readonly IncidentRow[]> {
  if (ids.length === 0) return [];
  const rows = await store.query<IncidentRow>(
    `SELECT ${incidentColumns} FROM ${store.database}.incidents WHERE incident_id IN {ids:Array(String)}`,
    { ids },
  );
  const byId = new Map(rows.map((row) => [row.incident_id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** What was decided because of each, in order of the alphabet; `restore` for what has ended. */
async function actionsOf(store: Store, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const rows = await store.query<{ readonly incident_id: string; readonly actions: readonly string[] }>(
    `SELECT incident_id, arraySort(groupUniqArray(action)) AS actions FROM ${store.database}.decisions
     WHERE incident_id IN {ids:Array(String)} GROUP BY incident_id`,
    { ids },
  );
  return new Map(rows.map(({ incident_id, actions }) => [incident_id, actions]));
}

async function verdictsOf(store: Store, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const db = store.database;
  const rows = await store.query<{ readonly incident_id: string; readonly verdict: string }>(
    `SELECT f.incident_id AS incident_id, argMax(toString(v.verdict), v.at) AS verdict
     FROM ${db}.verdicts AS v INNER JOIN (
       SELECT finding_id, incident_id FROM ${db}.findings WHERE finding_id IN (SELECT finding_id FROM ${db}.verdicts) AND incident_id IN {ids:Array(String)}
     ) AS f ON f.finding_id = v.finding_id
     WHERE v.state = 'given' GROUP BY incident_id`,
    { ids },
  );
  return new Map(rows.map(({ incident_id, verdict }) => [incident_id, verdict]));
}

/** On any of these findings, the oldest first. */
export function readVerdicts(store: Store, findingIds: readonly string[]): Promise<readonly VerdictRow[]> {
  return store.query<VerdictRow>(
    `SELECT verdict_id, finding_id, identity, verdict, \`by\`, note, at, state FROM ${store.database}.verdicts
     WHERE finding_id IN {ids:Array(String)} ORDER BY at, verdict_id LIMIT ${partsMax.verdicts}`,
    { ids: findingIds },
  );
}

async function readParts(store: Store, incident: IncidentRow): Promise<IncidentParts> {
  const db = store.database;
  const bound = { id: incident.incident_id, ...partsMax };
  const [stored, decisions, notes] = await Promise.all([
    store.query<StoredFinding>(
      `SELECT ${findingColumns} FROM ${db}.findings WHERE incident_id = {id:String} ORDER BY last_seen DESC, finding_id LIMIT {findings:UInt32}`,
      bound,
    ),
    store.query<DecisionRow>(
      `SELECT ${decisionColumns} FROM ${db}.decisions WHERE incident_id = {id:String} ORDER BY made_at DESC, decision_id LIMIT {decisions:UInt32}`,
      bound,
    ),
    store.query<CaseNoteRow>(
      `SELECT note_id, at, who, kind, text FROM ${db}.case_notes WHERE incident_id = {id:String} ORDER BY at, note_id LIMIT {notes:UInt32}`,
      bound,
    ),
  ]);
  const findings = stored.map(toFinding);
  const [receipts, events, verdicts] = await Promise.all([
    store.query<IncidentParts['receipts'][number]>(
      `SELECT decision_id, target, state, attempts, status, detail, at FROM ${db}.receipts
       WHERE decision_id IN {ids:Array(String)} ORDER BY at DESC, target LIMIT {receipts:UInt32}`,
      { ids: decisions.map(({ decision_id }) => decision_id), receipts: partsMax.receipts },
    ),
    eventsOf(store, findings, partsMax.events),
    readVerdicts(
      store,
      findings.map(({ finding_id }) => finding_id),
    ),
  ]);
  return { incident, findings, decisions, receipts, notes, verdicts, events };
}
