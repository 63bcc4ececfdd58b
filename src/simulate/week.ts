import type { EpochMs } from '../core/clock.ts';
import type { Dice } from './dice.ts';
import type { Zone } from './world.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
const hoursPerWeek = 168;

/** Who is awake when: customers in the evening, offices by day, support in shifts, machines always. */
export type WeekShape = 'customer' | 'office' | 'shift' | 'always';

/** A bump of the day: hour, width (standard deviation, hours), height. */
type Bump = readonly [hour: number, width: number, height: number];

const bumps: Readonly<Record<WeekShape, readonly Bump[]>> = {
  customer: [
    [20.2, 2.3, 1],
    [12.6, 1.8, 0.5],
    [8, 1.3, 0.3],
  ],
  office: [
    [10.3, 1.6, 1],
    [14.8, 1.9, 0.9],
  ],
  shift: [[0, 2.4, 1]],
  always: [[13, 5, 0.6]],
};

/** Weight per hour of somebody's week, Monday 00:00 first, the largest 1. Everybody has an own chronotype, and hardly anybody none. */
export function weekOf(shape: WeekShape, dice: Dice): Float32Array {
  const shift = shape === 'shift' ? dice.pick([9.5, 13.5, 18]) : dice.normal() * (shape === 'always' ? 0.5 : 1.2);
  const width = dice.between(0.8, 1.3);
  const weekend = {
    customer: dice.logNormal(1.1, 0.4),
    office: dice.chance(0.15) ? 0.25 : 0.02,
    shift: 0.6,
    always: 0.7,
  }[shape];
  const floor = { customer: 0.012, office: 0.006, shift: 0.004, always: 0.4 }[shape];
  const week = new Float32Array(hoursPerWeek);
  for (let hour = 0; hour < hoursPerWeek; hour++) {
    let weight = floor;
    for (const [at, wide, height] of bumps[shape]) {
      const distance = Math.abs((((hour % 24) + 0.5 - at - shift + 60) % 24) - 12);
      weight += height * Math.exp(-0.5 * (distance / (wide * width)) ** 2);
    }
    week[hour] = weight * (hour >= 120 ? weekend : 1);
  }
  const most = Math.max(...week);
  return week.map((weight) => weight / most);
}

/** Hour of the week, local; 1970 began on a Thursday. */
export function hourOfWeek(ms: EpochMs, zone: Zone): number {
  return (Math.floor((ms + zone.offsetMinutes * 60_000) / hourMs) + 72) % hoursPerWeek;
}

/** The next time after `ms` at which it is this minute of the local day (of a working day, perhaps). */
export function nextMinuteOfDay(
  ms: EpochMs,
  zone: Zone,
  at: { readonly minuteOfDay: number; readonly weekdaysOnly: boolean },
): EpochMs {
  const offset = zone.offsetMinutes * 60_000;
  let day = Math.floor((ms + offset) / dayMs);
  for (;;) {
    const time = day * dayMs + at.minuteOfDay * 60_000 - offset;
    if (time > ms && !(at.weekdaysOnly && hourOfWeek(time, zone) >= 120)) return time;
    day++;
  }
}
