import { identityId } from '../identity/identity-key.ts';
import type { CallsSince, Look } from '../policy/decision-watch.ts';
import { isRevocation } from '../policy/rule.ts';
import type { Store } from './clickhouse.ts';

/**
 * The calls that a decision is about, from a moment on, by source, those first that let the most through. Calls with a token or a log-in that is
 * newer than the decision asks for are not meant by it. With only a sample of events stored the numbers are estimates. Fails with STORE_UNAVAILABLE.
 */
export async function callsSince(store: Store, { decision, from, takenAt }: Look): Promise<readonly CallsSince[]> {
  const { identity, scope, session_id: session, token_id: token, decision_id: id, issued_before: before } = decision;
  const { identity_kind: kind, tenant, action } = decision;
  // A session that was ended never begins again, and a banned address stays so, however new the token.
  const isWhole = kind === 'address' || (scope === 'session' && isRevocation(action));
  const isMeant = [
    // Whoever comes from an address is meant with it, under any name; without a tenant in all of them.
    kind === 'address'
      ? `client_ip = {address:String}${tenant === '-' ? '' : ' AND tenant = {tenant:String}'}`
      : 'identity = {identity:String}',
    'ts >= fromUnixTimestamp64Milli({from:Int64})',
    'toUnixTimestamp64Milli(ts) >= transform(source, {points:Array(String)}, {times:Array(Int64)}, {from:Int64})',
    ...(scope === 'identity' ? [] : [session === null ? 'token_id = {token:String}' : 'session_id = {session:String}']),
    ...(before === null || before === undefined || isWhole
      ? []
      : ['ifNull(coalesce(auth_time, token_iat) * 1000 < {before:Int64}, true)']),
  ];
  const rows = await store.query<CallsSince>(
    `SELECT source, toUInt32(round(sum(sample_weight))) AS calls,
       toUInt32(round(sumIf(sample_weight, status BETWEEN 100 AND 399 AND NOT enforced))) AS passed,
       toUInt32(round(sumIf(sample_weight, enforced AND decision_id = {id:String}))) AS refused
     FROM ${store.database}.events WHERE ${isMeant.join(' AND ')} GROUP BY source ORDER BY passed DESC, calls DESC, source LIMIT 100`,
    {
      identity,
      address: identityId(identity) ?? '',
      tenant,
      from: Math.floor(from),
      points: [...takenAt.keys()],
      times: [...takenAt.values()].map(Math.floor),
      session: session ?? '',
      token: token ?? '',
      before: Math.floor(before ?? 0),
      id,
    },
  );
  return rows;
}
