import { activeAt } from '../baseline/active-layout.ts';
import { setPlace } from '../baseline/bit-set.ts';
import { pairOf } from '../baseline/pair-set.ts';
import { dimensionIndex } from '../baseline/row-layout.ts';
import { emptyView, type PlaceView, placeKey, type SourceTable, windowsMs } from '../baseline/source-table.ts';
import { burstSurprise } from '../baseline/statistics.ts';
import { hash32, hash64 } from '../core/hash.ts';
import { identityKinds } from '../core/words.ts';
import type { Family, Moment, Observed } from './family.ts';

const features = ['accounts', 'tries', 'burst', 'entered', 'guessed', 'newcomers'] as const;
const say = { accounts: 0, tries: 1, burst: 2, entered: 3, guessed: 4, newcomers: 5 } as const;
const network = dimensionIndex('network');
const program = dimensionIndex('client');
const call = dimensionIndex('function');

/** Bursts vary by more than chance alone: the shape of the gamma distribution that their means are taken to have. */
const shape = 2;
/** An hour may hold this share of the ordinary mistakes of those who belong to an address, and all of those of new arrivals. */
const hourOfDay = 1 / 8;
/** Accounts of strangers that any address may try: a household, a guest, an exit that a few share unseen. */
const usualLeast = 0.5;
/** Addresses that usually try one account in a window. */
const usualAddresses = 1;
/** Of a burst's k-th source, the chance to speak is this over k: about 14 of a thousand do, and the first always. */
const speakers = 3;
/** Below this many, sources are no burst, and newcomers no wave. */
const burstLeast = 5;
/** Tries that succeed where credentials are stuffed: 0.1 to 2 % are reported. */
const successRate = 0.02;
/** Above this many nats an arrival proves nothing about where the identity belongs. */
const doubtful = 2;

/**
 * Words of the identity's active row. An address that is refused keeps what the current frame has not shown yet; an identity that succeeds
 * keeps where it was noted today.
 */
const own = {
  noted: activeAt.source,
  notedNext: activeAt.source + 4,
  frame: activeAt.source + 5,
  tries: activeAt.source + 6,
  unnamed: activeAt.source + 7,
  counterparts: activeAt.source + 8,
  hour: activeAt.source + 12,
  day: activeAt.source + 13,
} as const;
const notedMax = 4;
const natsMax = 60;

/** One event's places and what they say: found by `extract`, and still there for `describe` and `learn`. */
const seen = {
  resolved: null as unknown,
  kind: 'ordinary' as 'ordinary' | 'refusal' | 'arrival',
  /** The account was never seen to come from this network; a refused call without a name: nobody belongs to its address. */
  strange: false,
  claimed: 0,
  pair: 0,
  note: 0,
  address: 0,
  edges: new Uint32Array(3),
  nats: new Float64Array(features.length),
  observed: new Float64Array(features.length),
  usual: new Float64Array(features.length),
  window: new Uint8Array(features.length),
};
const view: PlaceView = emptyView();
/** The event's address, with what the current frame has not shown yet. */
const place: PlaceView = emptyView();
/** The window that is looked at, an index into `windowsMs`. */
let window = 0;

/** A call without valid credentials. A refusal for lack of rights (403) is the errors family's. */
function isRefusal({ resolved: { claimed_identity, event } }: Moment): boolean {
  return claimed_identity !== null || event.status === 401 || event.auth_result === 'failure';
}

/** Ordinary events, which are nearly all, end at the second look. */
function look(moment: Moment): void {
  seen.resolved = moment.resolved;
  seen.kind = 'ordinary';
  const { event, identity_kind } = moment.resolved;
  const ip = event.client_ip;
  if (ip === null) return;
  const refused = isRefusal(moment);
  if (!refused && (identity_kind === 'address' || (event.status ?? 0) >= 400)) return;
  const address = hash32(ip);
  seen.note = pairOf(address, Math.floor(moment.observation.ts / windowsMs[1]));
  if (!refused && isNoted(moment, seen.note)) return;
  seen.kind = refused ? 'refusal' : 'arrival';
  findPlaces(moment, address);
  seen.nats.fill(0);
  if (refused) judgeRefusal(moment);
  else judgeArrival(moment);
}

function isNoted({ active: { u32 }, activeRow }: Moment, note: number): boolean {
  for (let i = 0; i < notedMax; i++) if (u32[activeRow + own.noted + i] === note) return true;
  return false;
}

function findPlaces(moment: Moment, address: number): void {
  const { event, identity, claimed_identity } = moment.resolved;
  const { values } = moment.observation;
  const table = moment.shared.sources;
  const tenant = event.tenant === null ? 0 : hash32(event.tenant);
  const fingerprint = event.ja4 === null ? values[program]! : hash32(event.ja4);
  seen.address = placeKey('address', tenant, address);
  seen.edges[0] = values[network] === 0 ? 0 : placeKey('network', tenant, values[network]!);
  seen.edges[1] = fingerprint === 0 ? 0 : placeKey('program', tenant, fingerprint);
  seen.edges[2] = values[call] === 0 ? 0 : placeKey('call', tenant, values[call]!);
  const nameless = seen.kind === 'refusal' && claimed_identity === null;
  seen.claimed = nameless ? 0 : placeKey('account', 0, hash64(claimed_identity ?? identity).low);
  seen.pair = pairOf(seen.claimed, values[network]!);
  if (nameless) table.read(seen.address, 1, view);
  seen.strange = nameless ? view.proven < 0.5 : !table.pairs.has(seen.pair);
}

/** What is more than anything said so far of this feature. */
function raise(feature: number, nats: number, of: { readonly observed: number; readonly usual: number }): void {
  if (nats <= seen.nats[feature]!) return;
  seen.nats[feature] = Math.min(natsMax, nats);
  seen.observed[feature] = of.observed;
  seen.usual[feature] = of.usual;
  seen.window[feature] = window;
}

function count(feature: number, observed: number, usual: number): void {
  if (observed > usual) raise(feature, burstSurprise(observed, usual, shape), { observed, usual });
}

/** Whether one of many that would all say the same is one of the few that do: its key decides, not its turn. */
function speaks(source: number, about: number, among: number): boolean {
  return pairOf(source, about) < (speakers / among) * 0x1_0000_0000;
}

/** What strangers did at the event's address. The current frame's part, of a refused call and those before it, comes from the active row. */
function judgeAddress(moment: Moment, live: boolean): void {
  const table = moment.shared.sources;
  const { u32 } = moment.active;
  const start = moment.activeRow;
  const current = live && u32[start + own.frame] === Math.floor(table.frame / 1000);
  const named = live && seen.strange && seen.claimed !== 0 ? 1 : 0;
  const nameless = live && seen.strange && seen.claimed === 0 ? 1 : 0;
  const { unseen } = place;
  for (let i = 0; i < unseen.length; i++) unseen[i] = current ? u32[start + own.counterparts + i]! : 0;
  if (named === 1) addToSet(unseen, 0, seen.claimed);
  const tries = live ? say.tries : say.entered;
  for (window = 0; window < windowsMs.length; window++) {
    table.read(seen.address, window, place);
    const accounts = place.counterparts;
    // One account is somebody away from home.
    if (accounts >= 1.5) {
      const people = window === 0 ? Math.max(hourOfDay * place.proven, place.fresh) : place.proven;
      const usual = Math.max(usualLeast, table.ratio('claims') * (1 + people));
      count(live ? say.accounts : say.entered, accounts, usual);
    }
    const sofar = place.tries + named + (current ? u32[start + own.tries]! : 0);
    count(tries, sofar, table.ratio('tries') * Math.max(1, accounts));
    const calls = place.strangers + nameless + (current ? u32[start + own.unnamed]! : 0);
    count(tries, calls, table.ratio('unnamed') * (1 + place.proven));
  }
}

/** What is usual for the place in a window, or what new arrivals and its own users' mistakes would bring: the larger. Reads the place. */
function usualAt(table: SourceTable, edge: number): number {
  table.read(edge, window, view);
  const history = (view.meanStrangers * view.weight + 1) / (view.weight + 1);
  return Math.max(history, table.ratio('strangers') * (1 + view.fresh) + view.tries / 2);
}

function judgeRefusal(moment: Moment): void {
  const table = moment.shared.sources;
  judgeAddress(moment, true);
  table.read(seen.address, 1, view);
  if (!seen.strange || view.proven >= 0.5) return;
  for (window = 0; window < windowsMs.length; window++)
    for (const edge of seen.edges) {
      if (edge === 0) continue;
      const usual = usualAt(table, edge);
      if (view.strangers >= burstLeast && speaks(seen.address, edge, view.strangers))
        count(say.burst, view.strangers, usual);
    }
}

function judgeArrival(moment: Moment): void {
  if (seen.strange) {
    judgeAddress(moment, false);
    judgeEntry(moment.shared.sources);
  }
  if (moment.history === 0) judgeNewcomer(moment);
}

/** A success from a network that is new to the identity, while strangers are being refused. */
function judgeEntry(table: SourceTable): void {
  for (window = 0; window < windowsMs.length; window++) {
    for (const edge of seen.edges) {
      if (edge === 0) continue;
      const usual = usualAt(table, edge);
      if (view.strangers < burstLeast || burstSurprise(view.strangers, usual, shape) < doubtful) continue;
      const arrivals = (view.meanFresh * view.weight + 1) / (view.weight + 1);
      raise(say.entered, Math.log1p((successRate * view.strangers) / arrivals), { observed: view.strangers, usual });
    }
    table.read(seen.claimed, window, view);
    count(say.guessed, view.counterparts, usualAddresses);
    count(say.guessed, view.tries, table.ratio('tries') * Math.max(1, view.counterparts));
  }
}

function judgeNewcomer(moment: Moment): void {
  const table = moment.shared.sources;
  const share = table.newcomerShare(identityKinds.indexOf(moment.resolved.identity_kind));
  window = 1;
  for (const from of [seen.address, seen.edges[1]!]) {
    if (from === 0) continue;
    table.read(from, window, view);
    const newcomers = view.newcomers + 1;
    if (newcomers < burstLeast || !speaks(seen.claimed, from, newcomers)) continue;
    count(say.newcomers, newcomers, share * Math.max(newcomers, view.proven));
  }
}

function addToSet(words: Uint32Array, start: number, value: number): void {
  const bit = setPlace(value);
  words[start + (bit >>> 5)]! |= 1 << (bit & 31);
}

function learnRefusal(moment: Moment): void {
  const table = moment.shared.sources;
  const { u32 } = moment.active;
  const start = moment.activeRow;
  const hour = Math.floor(moment.observation.ts / windowsMs[0]);
  const day = Math.floor(moment.observation.ts / windowsMs[1]);
  const firsts = (u32[start + own.hour] === hour ? 0 : 1) + (u32[start + own.day] === day ? 0 : 2);
  u32[start + own.hour] = hour;
  u32[start + own.day] = day;
  if (firsts !== 0)
    for (const edge of seen.edges) if (edge !== 0) table.add(seen.strange ? 'stranger' : 'familiar', edge, firsts);
  if (!seen.strange) return;
  const frame = Math.floor(table.frame / 1000);
  if (u32[start + own.frame] !== frame) {
    u32.fill(0, start + own.frame, start + own.counterparts + place.unseen.length);
    u32[start + own.frame] = frame;
  }
  if (seen.claimed === 0) {
    u32[start + own.unnamed]! += 1;
    table.add('unnamed', seen.address, 0);
    return;
  }
  u32[start + own.tries]! += 1;
  addToSet(u32, start + own.counterparts, seen.claimed);
  table.add('try', seen.address, seen.claimed);
  table.add('try', seen.claimed, seen.address);
}

/** An identity that came from where it is in doubt is counted, but does not come to belong there, and is judged again at its next call. */
function learnArrival(moment: Moment, weight: number): void {
  const table = moment.shared.sources;
  const doubt = weight < 0.5 || Math.max(seen.nats[say.entered]!, seen.nats[say.guessed]!) > doubtful;
  const note = doubt ? ~seen.note >>> 0 : seen.note;
  if (doubt && isNoted(moment, note)) return;
  const newcomer = moment.history === 0;
  table.addArrival(identityKinds.indexOf(moment.resolved.identity_kind), newcomer);
  for (let i = 0; i <= seen.edges.length; i++) {
    const place = i === 0 ? seen.address : seen.edges[i - 1]!;
    if (place === 0) continue;
    table.add('proven', place, seen.claimed);
    if (seen.strange) table.add('fresh', place, 0);
    if (newcomer) table.add('newcomer', place, 0);
  }
  if (!doubt) table.pairs.add(seen.pair);
  const { u32 } = moment.active;
  const next = moment.activeRow + own.notedNext;
  u32[moment.activeRow + own.noted + u32[next]!] = note;
  u32[next] = (u32[next]! + 1) % notedMax;
}

const spans = ['within the hour', 'today'];
const sentences: readonly ((observed: string, usual: string) => string)[] = [
  (observed, usual) => `its address tried ${observed} accounts that do not belong there, usually ${usual}`,
  (observed, usual) => `its address was refused ${observed} times without a valid credential, usually ${usual}`,
  (observed, usual) => `one of ${observed} strange addresses that are refused alike, usually ${usual}`,
  (observed, usual) =>
    `succeeds from a network new to it while strangers are refused there: ${observed} of them or of their tries, usually ${usual}`,
  (observed, usual) =>
    `succeeds from a network new to it after ${observed} tries or addresses guessed at it, usually ${usual}`,
  (observed, usual) => `one of ${observed} new identities from one address or program, usually ${usual}`,
];

function describe(moment: Moment, feature: number): Observed {
  if (seen.resolved !== moment.resolved) look(moment);
  const observed = Math.round(seen.observed[feature]!);
  const expected = Math.round(seen.usual[feature]! * 10) / 10;
  const usual = expected < 1 ? 'fewer than one' : String(expected);
  const text = `${sentences[feature]!(String(observed), usual)} ${spans[seen.window[feature]!]!}`;
  const range = { low: 0, high: Math.ceil(expected + 2 * Math.sqrt(expected + (expected * expected) / shape)) };
  return { observed, expected, ...range, level: 'everyone', sampleSize: moment.shared.sources.size, text };
}

/**
 * Bursts across identities: credentials tried in bulk from one address or from many, what succeeds in the middle of it, accounts made in
 * bulk. D03, D09, D10, D23. Whoever belongs where he is refused has mistyped; a refused call from elsewhere is a stranger's, and counts.
 */
export const source: Family = {
  name: 'source',
  features,
  extract: (moment, out, offset) => {
    look(moment);
    if (seen.kind === 'ordinary') {
      out.fill(0, offset, offset + features.length);
      return 0;
    }
    let total = 0;
    for (let f = 0; f < features.length; f++) {
      out[offset + f] = seen.nats[f]!;
      total += seen.nats[f]!;
    }
    return Math.min(natsMax, total);
  },
  learn: (moment, weight) => {
    if (seen.resolved !== moment.resolved) look(moment);
    if (seen.kind === 'refusal') learnRefusal(moment);
    else if (seen.kind === 'arrival') learnArrival(moment, weight);
  },
  describe,
};
