import { activeAt } from '../baseline/active-layout.ts';
import { addToday, beginDay, habit, type OwnDay, patternToday } from '../baseline/change-patterns.ts';
import { at, dimensionIndex } from '../baseline/row-layout.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import { drawn, type Family, type Moment } from './family.ts';
import { circleOf, dayOf, dimensionName, isNew, isRare, shareText, tlsTag } from './known.ts';
import { dimensionText } from './observation.ts';
import { newRight } from './rights.ts';

/** Whose days are compared: an identity with fewer events, or on its first day, is still showing what it is like. */
const knownEvents = 16;
const dayMs = 86_400_000;
/** Longer than a long weekend; longer than most holidays. And longer than twice the identity's longest absence so far. */
const awayDays = 5;
const dormantDays = 21;

const dims = (['network', 'country', 'client', 'time_zone', 'application', 'area', 'method'] as const).map(
  dimensionIndex,
);
/** Of these, those where it matters whether anybody else has the new value. */
const rareDims = (['network', 'client', 'function'] as const).map(dimensionIndex);
const tlsBit = dims.length;
const rareBit = tlsBit + 1;
export const rightsBit = rareBit + rareDims.length;
const awayBit = rightsBit + 1;
const dormantBit = awayBit + 1;
const gapMask = (1 << awayBit) | (1 << dormantBit);
const bitNames = [
  ...dims.map(dimensionName),
  'TLS fingerprint',
  ...rareDims.map((dimension) => `${dimensionName(dimension)} that hardly anybody uses`),
  'right',
  'absence',
  'long absence',
];

/** The longest absence so far, days, stands behind the day's facts. */
const longestGapAt = (moment: Moment): number => (moment.activeRow + activeAt.patterns + 2) * 4 + 15;
/** Four 16-bit tags of the TLS fingerprints used last. */
const tlsAt = activeAt.tls;

const own: { slab: OwnDay['slab']; start: number; day: number } = { slab: undefined as never, start: 0, day: 0 };
function ownDay(moment: Moment): OwnDay {
  own.slab = moment.active;
  own.start = moment.activeRow + activeAt.patterns;
  own.day = dayOf(moment);
  return own;
}

function isNewTls({ active: { u32 }, activeRow, resolved }: Moment): boolean {
  const first = u32[activeRow + tlsAt]!;
  const tag = tlsTag(resolved);
  if (tag === 0 || first === 0) return false;
  const second = u32[activeRow + tlsAt + 1]!;
  return first >>> 16 !== tag && (first & 0xffff) !== tag && second >>> 16 !== tag && (second & 0xffff) !== tag;
}

/** The newest stands first; the one that was new the longest ago gives way. */
function learnTls(moment: Moment, weight: number): void {
  const {
    active: { u32 },
    activeRow,
    resolved,
  } = moment;
  const tag = tlsTag(resolved);
  if (tag === 0) return;
  const word = activeRow + tlsAt;
  if (u32[word] !== 0 && (!isNewTls(moment) || !drawn(moment, weight))) return;
  u32[word + 1] = ((u32[word]! << 16) | (u32[word + 1]! >>> 16)) >>> 0;
  u32[word] = ((tag << 16) | (u32[word]! >>> 16)) >>> 0;
}

/** Facts of absence that the event ends. */
function absence(moment: Moment): number {
  if (moment.gapMs < awayDays * dayMs) return 0;
  const longest = moment.active.u8[longestGapAt(moment)]!;
  if (moment.gapMs < 2 * longest * dayMs) return 0;
  return 1 << (moment.gapMs >= dormantDays * dayMs ? dormantBit : awayBit);
}

function isKnown({ slab, row, history, observation }: Moment): boolean {
  return history >= knownEvents && observation.ts - slab.u32[row + at.firstSeen]! * 1000 >= dayMs;
}

/** What is new about this very event. */
function newFacts(moment: Moment): number {
  let mask = absence(moment);
  for (let bit = 0; bit < dims.length; bit++) if (isNew(moment, dims[bit]!)) mask |= 1 << bit;
  if (isNewTls(moment)) mask |= 1 << tlsBit;
  for (let i = 0; i < rareDims.length; i++)
    if (isRare(moment, rareDims[i]!) && isNew(moment, rareDims[i]!)) mask |= 1 << (rareBit + i);
  if (newRight(moment) !== null) mask |= 1 << rightsBit;
  return mask;
}

/** The facts of the newest event as they were before any family learned from it: in `learn` they are needed once more. */
let judged: ResolvedEvent | null = null;
let judgedFacts = 0;

function factsBefore(moment: Moment): number {
  return judged === moment.resolved ? judgedFacts : newFacts(moment);
}

/** -ln of the share of identity-days that come to this, less what the identity's own habit explains. */
function oddness(moment: Moment, mask: number): number {
  // Coming back after a long time, as one always was, is a holiday.
  if ((mask & ~gapMask) === 0) return 0;
  const circle = circleOf(moment);
  const patterns = moment.shared.dayPatterns;
  return Math.max(0, patterns.nats(circle, mask) - habit(ownDay(moment), mask, { patterns, circle }));
}

/**
 * Patterns of change: which combination of things is new today for an identity that is known, and how few identity-days of its kind come to
 * that. D12, D17, D18. Each may be ordinary; it is the combination that few people's days show.
 */
export const patterns: Family = {
  name: 'patterns',
  features: ['new_today', 'dormant'],
  extract: (moment, out, offset) => {
    out[offset] = 0;
    out[offset + 1] = 0;
    if (!isKnown(moment)) return 0;
    const mask = newFacts(moment);
    judged = moment.resolved;
    judgedFacts = mask;
    if (mask === 0) return 0;
    const today = patternToday(ownDay(moment)) | mask;
    const nats = oddness(moment, today);
    out[offset + ((today & gapMask) === 0 ? 0 : 1)] = nats;
    return nats;
  },
  learn: (moment, weight) => {
    if (isKnown(moment)) learnDay(moment, weight);
    learnTls(moment, weight);
    const days = Math.min(255, Math.floor(moment.gapMs / dayMs));
    const bytes = moment.active.u8;
    if (days > bytes[longestGapAt(moment)]! && weight >= 0.5) bytes[longestGapAt(moment)] = days;
  },
  describe: (moment) => {
    const circle = circleOf(moment);
    const { dayPatterns } = moment.shared;
    const now = newFacts(moment);
    const mask = now | patternToday(ownDay(moment));
    const names = bitNames.flatMap((name, bit) => (mask & (1 << bit) ? [`${name}${textOf(moment, now, bit)}`] : []));
    const nats = dayPatterns.nats(circle, mask);
    return {
      observed: names.join(', '),
      expected: 'nothing new',
      low: null,
      high: null,
      level: 'peers',
      sampleSize: Math.round(dayPatterns.days(circle)),
      text: `new today: ${names.join(', ')}; so much at once ${shareText(dayPatterns, circle, nats)}`,
    };
  },
};

function learnDay(moment: Moment, weight: number): void {
  const day = ownDay(moment);
  const circle = circleOf(moment);
  const { dayPatterns } = moment.shared;
  if (beginDay(day)) dayPatterns.begin(circle);
  const mask = factsBefore(moment);
  if (mask === 0) return;
  const before = patternToday(ownDay(moment));
  if ((before | mask) === before) return;
  addToday(day, mask, weight);
  dayPatterns.reach(circle, { mask: before | mask, before, weight });
}

/** What this event says in words where it says it; what was new earlier today is only named. */
function textOf(moment: Moment, now: number, bit: number): string {
  if ((now & (1 << bit)) === 0) return '';
  if (bit < dims.length) return ` ${dimensionText(moment.resolved, dims[bit]!) ?? '-'}`;
  if (bit >= rareBit && bit < rightsBit) return ` (${dimensionText(moment.resolved, rareDims[bit - rareBit]!) ?? '-'})`;
  if (bit === rightsBit) return ` ${newRight(moment)?.text ?? '-'}`;
  return bit === tlsBit ? '' : ` of ${Math.round(moment.gapMs / dayMs)} days`;
}
