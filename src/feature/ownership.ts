import { activeAt } from '../baseline/active-layout.ts';
import { foreign, free, known, shared } from '../baseline/object-owners.ts';
import { at, dimensionIndex } from '../baseline/row-layout.ts';
import { hash32 } from '../core/hash.ts';
import { isHeldBack, type Moment, type Observed } from './family.ts';

const area = dimensionIndex('area');
/**
 * Each half of the filter of known objects; the young half becomes the old one when two fifths of its bits are set. Words of the two take turns,
 * so that asking both for a bit is one look.
 */
const halfWords = 64;
const halfBits = halfWords * 32;
const fillMax = 0.4 * halfBits;
const probes = 3;
/** Touches that everyone's weigh against the identity's own, and the own memory. */
const strength = 16;
const memory = 50;
const ratioMax = 4;

/** The key of an object: the same id in two parts of an API is two objects. Never 0. */
function objectKey(moment: Moment, id: string): number {
  return (Math.imul(hash32(id), 0x85ebca6b) ^ moment.observation.values[area]!) >>> 0 || 1;
}

/** The identity as the table of owners knows it: neither nobody nor everybody. */
function selfKey(moment: Moment): number {
  return (moment.slab.u32[moment.row + at.keyLow]! & 0x7fffffff) | 1;
}

/** Whose an object is to the identity: known, free (nobody's yet, or everybody's) or foreign (only ever one other's). */
export function whose(moment: Moment, key: number): number {
  if (isKnown(moment, key)) return known;
  const owner = moment.shared.owners.owner(key);
  return owner === 0 || owner === shared || owner === selfKey(moment) ? free : foreign;
}

/** Objects of one call that are looked at; the rest of a longer list would say the same. */
export const objectsMax = 16;
/** The objects of the moment `turn`, and whose each is before anything is learned: two families ask, and for two windows. */
const named = { turn: 0, keys: new Uint32Array(objectsMax), relations: new Uint8Array(objectsMax) };

function lookAt(moment: Moment): void {
  if (named.turn === moment.turn) return;
  named.turn = moment.turn;
  const { object_ids } = moment.resolved;
  for (let i = 0; i < Math.min(objectsMax, object_ids.length); i++) {
    named.keys[i] = objectKey(moment, object_ids[i]!);
    named.relations[i] = whose(moment, named.keys[i]!);
  }
}

/** Keys of the call's objects, as many as it has up to `objectsMax`; reused for the next moment. */
export function keysOf(moment: Moment): Uint32Array {
  lookAt(moment);
  return named.keys;
}

/** Whose its objects are, as `whose` said before learning. */
export function relationsOf(moment: Moment): Uint8Array {
  lookAt(moment);
  return named.relations;
}

/** Makes the `place`th object known to the identity, and the identity to the object. */
export function touchObject(moment: Moment, place: number, weight: number): void {
  const { f32 } = moment.active;
  const key = keysOf(moment)[place]!;
  // What the call's first objects made known is known by the later ones.
  const relation = place === 0 ? relationsOf(moment)[0]! : whose(moment, key);
  moment.shared.owners.touch(key, selfKey(moment), relation);
  if (isHeldBack(moment, weight)) return;
  const start = moment.activeRow + activeAt.touches;
  for (let i = 0; i < 3; i++) f32[start + i]! *= 1 - 1 / memory;
  f32[start + relation]! += 1;
  if (relation !== known) makeKnown(moment, key);
}

/**
 * ln P(such an object | somebody else) - ln P(such an object | this identity), for the first object of the event. To somebody else this identity's
 * objects are foreign and what is foreign to it may well be known: so everyone's shares with known and foreign exchanged are the other hand.
 */
export function ownershipRatio(moment: Moment): number {
  if (moment.resolved.object_ids.length === 0) return 0;
  const relation = relationsOf(moment)[0]!;
  const { touches } = moment.shared.owners;
  const everyone = touches[known]! + touches[free]! + touches[foreign]!;
  const start = moment.activeRow + activeAt.touches;
  const { f32 } = moment.active;
  const own = f32[start]! + f32[start + 1]! + f32[start + 2]!;
  const here = (f32[start + relation]! + (strength * touches[relation]!) / everyone) / (own + strength);
  const exchanged = relation === known ? foreign : relation === foreign ? known : free;
  return Math.max(-ratioMax, Math.min(ratioMax, Math.log(touches[exchanged]! / everyone / here)));
}

export function describeOwnership(moment: Moment): Observed {
  const start = moment.activeRow + activeAt.touches;
  const { f32 } = moment.active;
  const own = Math.round(f32[start]! + f32[start + 1]! + f32[start + 2]!);
  const relation = whose(moment, objectKey(moment, moment.resolved.object_ids[0] ?? ''));
  const names = [
    'an object that it knows',
    'an object that is new to it',
    'an object that only one other identity ever touched',
  ];
  const share = own === 0 ? 0 : Math.round((100 * f32[start + relation]!) / own);
  return {
    ...{ observed: names[relation]!, expected: `${share} % of its touches`, low: null, high: null },
    ...{ level: 'self', sampleSize: own },
    text: `${moment.resolved.route}: ${names[relation]!}, as ${share} % of its last ${own} were`,
  };
}

function wordOf(moment: Moment, half: number, bit: number): number {
  return moment.activeRow + activeAt.known + 2 * (bit >>> 5) + half;
}

function bitOf(key: number, probe: number): number {
  return (Math.imul(key ^ Math.imul(probe + 1, 0x9e3779b1), 0x2c1b3c6d) >>> 9) % halfBits;
}

/** A Bloom filter in two generations: what was touched of late is known, and now and then something that was not. */
function isKnown(moment: Moment, key: number): boolean {
  const { u32 } = moment.active;
  let [young, old] = [true, true];
  for (let probe = 0; probe < probes; probe++) {
    const bit = bitOf(key, probe);
    if ((u32[wordOf(moment, 0, bit)]! & (1 << (bit & 31))) === 0) young = false;
    if ((u32[wordOf(moment, 1, bit)]! & (1 << (bit & 31))) === 0) old = false;
  }
  return young || old;
}

function makeKnown(moment: Moment, key: number): void {
  const { u32 } = moment.active;
  const fill = moment.activeRow + activeAt.knownFill;
  for (let probe = 0; probe < probes; probe++) {
    const bit = bitOf(key, probe);
    const word = wordOf(moment, 0, bit);
    if ((u32[word]! & (1 << (bit & 31))) !== 0) continue;
    u32[word] = (u32[word]! | (1 << (bit & 31))) >>> 0;
    u32[fill] = u32[fill]! + 1;
  }
  if (u32[fill]! < fillMax) return;
  const start = moment.activeRow + activeAt.known;
  for (let word = start; word < start + 2 * halfWords; word += 2) {
    u32[word + 1] = u32[word]!;
    u32[word] = 0;
  }
  u32[fill] = 0;
}
