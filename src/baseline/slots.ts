import { at, dimensions } from './row-layout.ts';
import type { RowSlab } from './row-slab.ts';

/** One event counts as this much, so that small learning weights still move a count. */
const slotUnit = 16;
/** Beyond this many events in a dimension all its counts are halved: the row's memory. */
const memoryEvents = 1024;

/** What a row remembers about one value of one dimension. */
export type SlotView = {
  /** Events with this value, decayed; 0 for a value that is not remembered. */
  count: number;
  /** Events in the dimension, decayed. */
  total: number;
  /** Values remembered. */
  distinct: number;
};

/** Where a dimension's slots stand in the slab, and the value that is looked for or learned. */
export type SlotPlace = { readonly row: number; readonly dimension: number; readonly value: number };

export function readSlots(slab: RowSlab, place: SlotPlace, into: SlotView): void {
  const { u32 } = slab;
  const start = place.row + at.slots[place.dimension]!;
  const end = start + dimensions[place.dimension]!.slots;
  const tag = place.value >>> 16;
  let count = 0;
  let total = 0;
  let distinct = 0;
  for (let i = start; i < end; i++) {
    const slot = u32[i]!;
    if (slot === 0) continue;
    distinct++;
    total += slot & 0xffff;
    if (slot >>> 16 === tag) count = slot & 0xffff;
  }
  into.count = count / slotUnit;
  into.total = total / slotUnit;
  into.distinct = distinct;
}

/** Adds `weight` events (at least a sixteenth) to a value; a new value takes an empty slot or the rarest one's. */
export function learnSlot(slab: RowSlab, place: SlotPlace, weight: number): void {
  const { u32 } = slab;
  const start = place.row + at.slots[place.dimension]!;
  const end = start + dimensions[place.dimension]!.slots;
  const tag = place.value >>> 16;
  const units = Math.max(1, Math.round(weight * slotUnit));
  let rarest = start;
  let rarestCount = 0x10000;
  let total = units;
  let found = false;
  for (let i = start; i < end; i++) {
    const slot = u32[i]!;
    const count = slot & 0xffff;
    total += count;
    if (slot !== 0 && slot >>> 16 === tag) {
      u32[i] = ((tag << 16) | Math.min(0xffff, count + units)) >>> 0;
      found = true;
    } else if (count < rarestCount) {
      rarest = i;
      rarestCount = count;
    }
  }
  if (!found) u32[rarest] = ((tag << 16) | Math.min(0xffff, units)) >>> 0;
  if (total > memoryEvents * slotUnit) halve(u32, start, end);
}

function halve(u32: Uint32Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const slot = u32[i]!;
    const count = (slot & 0xffff) >>> 1;
    u32[i] = count === 0 ? 0 : ((slot & 0xffff0000) | count) >>> 0;
  }
}
