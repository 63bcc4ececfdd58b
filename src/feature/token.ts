import { activeAt } from '../baseline/active-layout.ts';
import { addToday, beginDay, habit, type OwnDay, patternToday } from '../baseline/change-patterns.ts';
import { dimensionIndex } from '../baseline/row-layout.ts';
import { hash32 } from '../core/hash.ts';
import type { TrafficEvent } from '../event/traffic-event.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Family, Moment } from './family.ts';
import { describeJourney, journeyOf, learnPlace } from './journey.ts';
import { circleOf, dayOf, isNew, isRare, isService, shareText, tlsTag } from './known.ts';
import { dimensionText } from './observation.ts';

/**
 * A token lives in one program on one device. Kept of an identity's last four tokens: the context it was first used in (home), the newest
 * other one, and when they were used. An attacker with many tokens pushes an identity's others out, and with them his own.
 */
const slots = 4;
const slotWords = 9;
/**
 * Words of a slot. Seconds since 1970; a context is two words: program and network, TLS fingerprint and country, 16 bits each. The last two bits
 * of `otherFirst` say whether its network and its program were new to the identity when it began. `switches`: the minute of the last switch between
 * the two, then one bit for where it is now (0 is home), then six for how many came in a row.
 */
const at = { token: 0, home: 1, homeLast: 3, other: 4, otherFirst: 6, authTime: 7, switches: 8 } as const;

/** A home that was not used for this long has moved. */
const homeSeconds = 86_400;
/** Clocks differ, and verifiers allow for that: up to five minutes is usual. */
const leewaySeconds = 300;
/** Caches and long calls explain minutes, not hours. */
const longSeconds = 3600;

/** A journey that is less impossible than this, nats, may be a wrong place. */
const travelNats = 1;

const network = dimensionIndex('network');
const country = dimensionIndex('country');
const client = dimensionIndex('client');

/** Switches of context are in a row when they are not further apart than this. */
const rowMinutes = 10;
/** There and back and there again; and far too often for a phone that has two networks. */
const backAndForth = 3;
const manySwitches = 9;

/** What is odd about a use of a token, one bit each. A network or a program is another that the identity has, or new to it, or hardly anybody's. */
const fact = {
  otherNetwork: 1,
  newNetwork: 2,
  rareNetwork: 4,
  otherClient: 8,
  newClient: 16,
  rareClient: 32,
  country: 64,
  tls: 128,
  /** Home was used since the other context began. */
  both: 256,
  atOnce: 512,
  often: 1024,
  expired: 2048,
  longExpired: 4096,
  travel: 8192,
} as const;
const everyContextFact = 2047;
const networks = fact.otherNetwork | fact.newNetwork | fact.rareNetwork;
const programs = fact.otherClient | fact.newClient | fact.rareClient;
const elsewhere = (networks | programs) & ~(fact.otherNetwork | fact.otherClient);
const alive = fact.both | fact.atOnce | fact.often;
const expiry = fact.expired | fact.longExpired;

const features = ['two_contexts', 'token_moved', 'foreign_key', 'past_expiry', 'travel'] as const;

/** The newest event's token: it is needed twice, before learning and in it. */
let memo: ResolvedEvent | null = null;
let memoToken = 0;
/** And its facts as they were before any family learned from it. */
let judged: ResolvedEvent | null = null;
let judgedFacts = 0;

/**
 * The session if there is one, for a stolen refresh token makes new tokens of the same session; else the token, the key, the certificate. None
 * for a caller who was refused: what he sent in somebody's name proves nothing.
 */
function remember(resolved: ResolvedEvent): void {
  if (memo === resolved) return;
  memo = resolved;
  const { session_id, token_id, api_key, mtls_subject } = resolved.event;
  const text = session_id ?? token_id ?? api_key ?? mtls_subject;
  memoToken = text === null || resolved.claimed_identity !== null ? 0 : hash32(text) || 1;
}

/** The event's context, in the words of a slot. */
function contextOf({ observation, resolved }: Moment, which: 0 | 1): number {
  const { values } = observation;
  const high = which === 0 ? values[client]! >>> 16 : tlsTag(resolved);
  return ((high << 16) | (values[which === 0 ? network : country]! >>> 16)) >>> 0;
}

/** What was not said on either side is no difference. */
const differs = (a: number, b: number): boolean => a !== b && a !== 0 && b !== 0;

/** Word of the token's slot, or -1. */
function findSlot({ active: { u32 }, activeRow }: Moment): number {
  const first = activeRow + activeAt.tokens;
  for (let slot = first; slot < first + slots * slotWords; slot += slotWords)
    if (u32[slot + at.token] === memoToken) return slot;
  return -1;
}

/** A slot of the session's, or all: what comes next is its beginning. */
export function forgetTokens(
  { active: { u32 }, activeRow }: Pick<Moment, 'active' | 'activeRow'>,
  session: string | null,
): void {
  const token = session === null ? null : hash32(session) || 1;
  const first = activeRow + activeAt.tokens;
  for (let slot = first; slot < first + slots * slotWords; slot += slotWords)
    if (token === null || u32[slot + at.token] === token) u32.fill(0, slot, slot + slotWords);
}

function networkFact(moment: Moment, unknown: boolean): number {
  return unknown ? (isRare(moment, network) ? fact.rareNetwork : fact.newNetwork) : fact.otherNetwork;
}

function clientFact(moment: Moment, unknown: boolean): number {
  return unknown ? (isRare(moment, client) ? fact.rareClient : fact.newClient) : fact.otherClient;
}

/** In which dimensions the event's context differs from the one that begins at this word: facts, the new ones apart. */
function differences(moment: Moment, word: number): number {
  const { u32 } = moment.active;
  const first = contextOf(moment, 0);
  const second = contextOf(moment, 1);
  if (u32[word] === first && u32[word + 1] === second) return 0;
  let mask = 0;
  if (differs(first & 0xffff, u32[word]! & 0xffff)) mask |= networkFact(moment, isNew(moment, network));
  if (differs(first >>> 16, u32[word]! >>> 16)) mask |= clientFact(moment, isNew(moment, client));
  if (differs(second & 0xffff, u32[word + 1]! & 0xffff)) mask |= fact.country;
  if (differs(second >>> 16, u32[word + 1]! >>> 16)) mask |= fact.tls;
  return mask;
}

/** A log-in since proves who it is, wherever that is. */
function isFresh(moment: Moment, slot: number): boolean {
  const { auth_time } = moment.resolved.event;
  const before = moment.active.u32[slot + at.authTime]!;
  return auth_time !== null && before !== 0 && auth_time > before;
}

function factsOf(moment: Moment): number {
  const { event } = moment.resolved;
  remember(moment.resolved);
  const isTravel = journeyOf(moment).nats >= travelNats;
  return (isTravel ? fact.travel : 0) | (memoToken === 0 ? 0 : tokenFacts(moment, event));
}

function tokenFacts(moment: Moment, event: TrafficEvent): number {
  const { token_exp, status, ts } = event;
  const answered = status !== null && status < 400;
  const late = token_exp !== null && answered ? ts / 1000 - token_exp : 0;
  const mask = late <= leewaySeconds ? 0 : late <= longSeconds ? fact.expired : fact.longExpired;
  const slot = findSlot(moment);
  if (slot < 0 || isFresh(moment, slot)) return mask;
  return mask | contextFactsOf(moment, slot);
}

/** How the event's context differs from the slot's home, and whether both are in use. */
function contextFactsOf(moment: Moment, slot: number): number {
  const { u32 } = moment.active;
  let mask = differences(moment, slot + at.home);
  if (mask === 0) return 0;
  const began = u32[slot + at.otherFirst]!;
  const isSameOther = began !== 0 && differences(moment, slot + at.other) === 0;
  // What has been learned of it meanwhile does not excuse it.
  if (isSameOther && (began & 1) !== 0 && (mask & networks) !== 0)
    mask = (mask & ~networks) | networkFact(moment, true);
  if (isSameOther && (began & 2) !== 0 && (mask & programs) !== 0) mask = (mask & ~programs) | clientFact(moment, true);
  // A phone between two networks of its own, a VPN turned on and off: as often as they like.
  if ((mask & ~(fact.otherNetwork | fact.country)) === 0) return mask;
  if (began !== 0 && u32[slot + at.homeLast]! > (began | 3)) mask |= fact.both;
  if (!isSameOther) return mask;
  const inRow = switchesOf(u32[slot + at.switches]!, { side: 1, ts: moment.observation.ts }) & 63;
  return mask | (inRow >= manySwitches ? fact.often : inRow >= backAndForth ? fact.atOnce : 0);
}

/** The `switches` word after a use in the given context. */
function switchesOf(before: number, use: { readonly side: 0 | 1; readonly ts: number }): number {
  const minute = Math.floor(use.ts / 60_000);
  const last = before >>> 7;
  const isSwitch = ((before >>> 6) & 1) !== use.side;
  const inRow = minute - last > rowMinutes ? 0 : before & 63;
  if (!isSwitch) return ((last << 7) | (use.side << 6) | inRow) >>> 0;
  return ((minute << 7) | (use.side << 6) | Math.min(63, inRow + 1)) >>> 0;
}

const own: { slab: OwnDay['slab']; start: number; day: number } = { slab: undefined as never, start: 0, day: 0 };
function ownDay(moment: Moment): OwnDay {
  own.slab = moment.active;
  own.start = moment.activeRow + activeAt.tokenDay;
  own.day = dayOf(moment);
  return own;
}

/** -ln of the share of identity-days on which tokens are used like this, less what the identity's own habit explains. */
function oddness(moment: Moment, mask: number): number {
  if (mask === 0) return 0;
  const circle = circleOf(moment);
  const patterns = moment.shared.tokenPatterns;
  return Math.max(0, patterns.nats(circle, mask) - habit(ownDay(moment), mask, { patterns, circle }));
}

/** The feature that a use from another context speaks for. */
function contextFeature(moment: Moment, mask: number): number {
  if (isService(circleOf(moment)) && (mask & elsewhere) !== 0) return 2;
  return (mask & alive) !== 0 ? 0 : 1;
}

/**
 * Tokens that are used where they cannot be: in two contexts at once, moved to another without a log-in, a machine's key from elsewhere, past
 * their expiry; and people in two places. D11, D13. How odd that is, is counted: where gateways hand tokens on, or every phone changes its network, it is not.
 */
export const token: Family = {
  name: 'token',
  features,
  extract: (moment, out, offset) => {
    out.fill(0, offset, offset + features.length);
    const mask = factsOf(moment);
    judged = moment.resolved;
    judgedFacts = mask;
    if (mask === 0) return 0;
    const context = mask & everyContextFact;
    if (context !== 0) out[offset + contextFeature(moment, context)] = oddness(moment, context);
    if ((mask & expiry) !== 0) out[offset + 3] = oddness(moment, mask & expiry);
    if ((mask & fact.travel) !== 0) out[offset + 4] = oddness(moment, fact.travel);
    return Math.max(out[offset + 3]!, out[offset + 4]!, oddness(moment, mask | patternToday(ownDay(moment))));
  },
  learn: (moment, weight) => {
    const mask = judged === moment.resolved ? judgedFacts : factsOf(moment);
    const day = ownDay(moment);
    const { tokenPatterns } = moment.shared;
    if (beginDay(day)) tokenPatterns.begin(circleOf(moment));
    const before = patternToday(day);
    if ((before | mask) !== before) {
      addToday(day, mask, weight);
      tokenPatterns.reach(circleOf(moment), { mask: before | mask, before, weight });
    }
    remember(moment.resolved);
    if (memoToken !== 0) learnSlot(moment, mask);
    learnPlace(moment);
  },
  describe: (moment, feature) => {
    const mask = factsOf(moment);
    const { tokenPatterns } = moment.shared;
    const circle = circleOf(moment);
    const counted = feature === 3 ? mask & expiry : feature === 4 ? fact.travel : mask & everyContextFact;
    const said =
      feature === 3 ? expiryText(moment.resolved) : feature === 4 ? describeJourney(moment) : contextText(moment, mask);
    return {
      observed: said.observed,
      expected: said.expected,
      low: null,
      high: null,
      level: 'peers',
      sampleSize: Math.round(tokenPatterns.days(circle)),
      text: `${said.text}; that happens ${shareText(tokenPatterns, circle, tokenPatterns.nats(circle, counted))}`,
    };
  },
};

function learnSlot(moment: Moment, facts: number): void {
  const { u32 } = moment.active;
  const { event } = moment.resolved;
  const seconds = Math.floor(event.ts / 1000);
  let slot = findSlot(moment);
  const isHome =
    slot < 0 ||
    isFresh(moment, slot) ||
    seconds - u32[slot + at.homeLast]! > homeSeconds ||
    differences(moment, slot + at.home) === 0;
  if (slot < 0) slot = oldestSlot(moment);
  if (u32[slot + at.token] !== memoToken || isFresh(moment, slot)) u32.fill(0, slot, slot + slotWords);
  u32[slot + at.token] = memoToken;
  if (event.auth_time !== null) u32[slot + at.authTime] = Math.max(u32[slot + at.authTime]!, event.auth_time);
  if (isHome) {
    if (u32[slot + at.homeLast] === 0 || seconds - u32[slot + at.homeLast]! > homeSeconds)
      keepContext(moment, slot + at.home);
    u32[slot + at.homeLast] = Math.max(u32[slot + at.homeLast]!, seconds);
    u32[slot + at.switches] = switchesOf(u32[slot + at.switches]!, { side: 0, ts: event.ts });
    return;
  }
  u32[slot + at.switches] = switchesOf(u32[slot + at.switches]!, { side: 1, ts: event.ts });
  if (u32[slot + at.otherFirst] !== 0 && differences(moment, slot + at.other) === 0) return;
  keepContext(moment, slot + at.other);
  u32[slot + at.otherFirst] =
    ((seconds & ~3) |
      ((facts & (fact.newNetwork | fact.rareNetwork)) === 0 ? 0 : 1) |
      ((facts & (fact.newClient | fact.rareClient)) === 0 ? 0 : 2)) >>>
    0;
}

function keepContext(moment: Moment, word: number): void {
  moment.active.u32[word] = contextOf(moment, 0);
  moment.active.u32[word + 1] = contextOf(moment, 1);
}

function oldestSlot({ active: { u32 }, activeRow }: Moment): number {
  const first = activeRow + activeAt.tokens;
  let oldest = first;
  for (let slot = first; slot < first + slots * slotWords; slot += slotWords)
    if (u32[slot + at.homeLast]! < u32[oldest + at.homeLast]!) oldest = slot;
  return oldest;
}

type Words = { readonly observed: string; readonly expected: string; readonly text: string };

function expiryText({ event }: ResolvedEvent): Words {
  const minutes = Math.round((event.ts / 1000 - (event.token_exp ?? 0)) / 60);
  const text = `its token was accepted ${minutes} minutes after it expired`;
  return { observed: `${minutes} minutes after expiry`, expected: 'before expiry', text };
}

function contextText(moment: Moment, mask: number): Words {
  const { resolved } = moment;
  const parts: string[] = [];
  if (mask & networks)
    parts.push(`${mask & fact.otherNetwork ? '' : 'new '}network ${dimensionText(resolved, network) ?? '-'}`);
  if (mask & fact.country) parts.push(`country ${resolved.event.country ?? '-'}`);
  if (mask & programs)
    parts.push(`${mask & fact.otherClient ? '' : 'new '}program ${dimensionText(resolved, client) ?? '-'}`);
  if (mask & fact.tls) parts.push('TLS fingerprint');
  const what = resolved.event.session_id !== null ? 'session' : resolved.event.token_id !== null ? 'token' : 'key';
  const observed = parts.join(', ');
  const text =
    mask & alive
      ? `one ${what} is used in two contexts at once: here another ${observed}, while the first is still in use`
      : `its ${what} moved without a new log-in: another ${observed}`;
  return { observed, expected: `the context in which the ${what} began`, text };
}
