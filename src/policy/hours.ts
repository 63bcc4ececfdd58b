import type { RuleConditions } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';

type Hours = NonNullable<RuleConditions['hours']>;
type Day = Hours['days'][number];

/** Making one takes some 50 µs; a policy names a handful of zones. */
const formats = new Map<string, Intl.DateTimeFormat>();
const week: readonly Day[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** Whether a moment lies in the hours, by the clocks on the wall of their time zone. */
export function isWithin({ from, to, days, timeZone }: Hours, at: EpochMs): boolean {
  const { day, time } = wallClock(timeZone, at);
  if (from < to) return days.includes(day) && from <= time && time < to;
  // Over midnight: the early part belongs to the day on which the stretch began.
  const before = week[(week.indexOf(day) + 6) % 7]!;
  return (days.includes(day) && from <= time) || (days.includes(before) && time < to);
}

function wallClock(timeZone: string, at: EpochMs): { readonly day: Day; readonly time: string } {
  let format = formats.get(timeZone);
  if (format === undefined) {
    const parts = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('en-GB', { timeZone, ...parts });
    formats.set(timeZone, format);
  }
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return { day: part.weekday!.toLowerCase() as Day, time: `${part.hour}:${part.minute}` };
}
