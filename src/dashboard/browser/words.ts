import { noun } from '../../core/noun.ts';
import type { FindingKind } from '../../core/words.ts';

/** Words for people: names of kinds, times, numbers, parts of a key. Times are in UTC and to the second, because the reader compares them with logs. */
const kindNames: Readonly<Record<FindingKind, string>> = {
  rate_spike: 'Rate spike',
  new_function: 'New function',
  new_context: 'New place or device',
  error_ratio: 'Errors',
  volume_spike: 'Volume spike',
  off_hours: 'Unusual hours',
  behaviour_change: 'Behaviour change',
  object_enumeration: 'Object enumeration',
  mass_change: 'Mass change',
  reconnaissance: 'Reconnaissance',
  data_exfiltration: 'Data taken out',
  automation: 'Automation',
  token_replay: 'Token replay',
  impossible_travel: 'Impossible travel',
  privilege_drift: 'Privilege drift',
  account_takeover: 'Account takeover',
  dormant_reactivated: 'Dormant identity back',
  credential_stuffing: 'Credential stuffing',
  auth_failure_burst: 'Failed log-ins',
  bulk_accounts: 'Bulk accounts',
  suspect_origin: 'Made by a suspect',
  sequence_anomaly: 'Order of calls',
};

export function kindName(kind: string): string {
  return Object.hasOwn(kindNames, kind) ? kindNames[kind as FindingKind] : kind;
}

/** `kind:tenant:id`; the id may hold colons. */
export function identityName(key: string): { readonly kind: string; readonly tenant: string; readonly id: string } {
  const [kind = '', tenant = '', ...id] = key.split(':');
  return id.length === 0 ? { kind: '', tenant: '', id: key } : { kind, tenant, id: id.join(':') };
}

export function clockTime(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

/** The time of day, with the date where it is another day than that of `beside`. */
export function shortTime(iso: string, beside: string): string {
  return iso.slice(0, 10) === beside.slice(0, 10) ? iso.slice(11, 19) : clockTime(iso);
}

const spans = [
  { ms: 86_400_000, unit: 'd' },
  { ms: 3_600_000, unit: 'h' },
  { ms: 60_000, unit: 'min' },
  { ms: 1000, unit: 's' },
];

/** `3 min`; empty for nothing. */
export function span(ms: number): string {
  const found = spans.find((each) => Math.abs(ms) >= each.ms);
  return found === undefined ? '0 s' : `${Math.round(ms / found.ms)} ${found.unit}`;
}

/** Nothing is rounded: `90 s`. */
export function exactSpan(ms: number): string {
  const found = spans.find((each) => ms >= each.ms && ms % each.ms === 0);
  return found === undefined ? `${ms} ms` : `${ms / found.ms} ${found.unit}`;
}

/** `3 min ago`, or the date when it is more than two weeks off. */
export function ago(iso: string, now: number): string {
  const ms = now - Date.parse(iso);
  if (Math.abs(ms) > 14 * 86_400_000) return iso.slice(0, 16).replace('T', ' ');
  return ms >= 0 ? `${span(ms)} ago` : `in ${span(-ms)}`;
}

const exact = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export function count(value: number): string {
  return Math.abs(value) < 100_000 ? exact.format(value) : compact.format(value);
}

/** Three significant figures, as in the sentences of reasons. */
export function figure(value: number): string {
  return Math.abs(value) >= 100_000 ? compact.format(value) : String(Number(value.toPrecision(3)));
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function plural(value: number, one: string, many?: string): string {
  return `${count(value)} ${noun(value, one, many)}`;
}

type Told = { readonly title: string; readonly identity: string };

/** A finding's sentence without its subject, which stands beside it, and what it rests on: `who does what: because`. */
export function claimOf({ title, identity }: Told): { readonly claim: string; readonly because: string } {
  const { kind, id } = identityName(identity);
  const subject = `${kind} ${id} `;
  const said = title.startsWith(subject) ? title.slice(subject.length) : title;
  const colon = said.indexOf(': ');
  const claim = colon < 0 ? said : said.slice(0, colon);
  return { claim: claim.charAt(0).toUpperCase() + claim.slice(1), because: colon < 0 ? '' : said.slice(colon + 2) };
}
