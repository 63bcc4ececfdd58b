import type { PolicyConfig } from '../config/policy-file.ts';
import { emptyEvent } from '../event/traffic-event.ts';
import type { Finding } from '../finding/finding.ts';
import type { HttpParts } from '../http/parts.ts';
import { actorKindOf } from '../identity/peer-group.ts';
import type { IdentityKind } from '../identity/resolved-event.ts';
import type { Action, Decision } from '../policy/decision.ts';
import { explain } from '../policy/explain.ts';
import type { DecisionRow, EventRow, FindingRow, StoreQueries } from '../store/queries.ts';

const decisionsMax = 100;

/** Why an identity's newest finding led to what it led to, from what is stored. Undefined when nothing was ever found about it. */
export function createExplain(queries: StoreQueries, policy: PolicyConfig): HttpParts['explain'] {
  return async (identity) => {
    const [findings, decisions, pages, known] = await Promise.all([
      queries.findings({ identity, limit: 1 }),
      queries.decisions({ identity, limit: decisionsMax }),
      queries.decisions({ rule: 'guardrail', limit: decisionsMax }),
      queries.identity(identity, decisionsMax),
    ]);
    const [row] = findings.rows;
    if (row === undefined) return undefined;
    const call = known?.recent.find((event) => event.findings.includes(row.finding_id)) ?? known?.recent[0];
    const stored = {
      finding: findingOf(row),
      call: callOf(call, row.identity_kind),
      decisions: decisions.rows.map(decisionOf),
    };
    return { identity, ...explain(policy, stored, pages.rows.map(decisionOf)) };
  };
}

const orNull = (text: string | undefined): string | null => (text === undefined || text === '' ? null : text);

/** As pipeline.ts tells policy. */
function callOf(event: EventRow | undefined, identityKind: IdentityKind): Parameters<typeof explain>[1]['call'] {
  const said = event?.actor_kind === 'service' || event?.actor_kind === 'human' ? event.actor_kind : null;
  return {
    sessionId: orNull(event?.session_id),
    tokenId: orNull(event?.token_id),
    clientIp: orNull(event?.client_ip),
    route: orNull(event?.route),
    host: orNull(event?.host),
    actorKind: actorKindOf({ ...emptyEvent(), actor_kind: said }, identityKind) === 'service' ? 'service' : 'human',
  };
}

function findingOf(row: FindingRow): Finding {
  return { ...row, shard: 0, first_seen: Date.parse(row.first_seen), last_seen: Date.parse(row.last_seen) };
}

function decisionOf(row: DecisionRow): Decision {
  return {
    ...row,
    shard: 0,
    ended: orNull(row.ended) as Action | null,
    session_id: orNull(row.session_id),
    token_id: orNull(row.token_id),
    client_ip: orNull(row.client_ip),
    issued_before: row.issued_before === null ? null : Date.parse(row.issued_before),
    made_at: Date.parse(row.made_at),
    updated_at: Date.parse(row.updated_at),
    expires_at: Date.parse(row.expires_at),
  };
}
