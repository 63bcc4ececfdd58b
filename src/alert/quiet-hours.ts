import type { EpochMs } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import type { weekdays } from '../core/words.ts';

export type QuietHours = {
  /** IANA name, such as Europe/Berlin. */
  readonly zone: string;
  /** `HH:MM` of that zone's clock; a `to` before `from` is on the next day. Equal: no hours of the day. */
  readonly from: string;
  readonly to: string;
  /** Quiet all day. */
  readonly days: readonly (typeof weekdays)[number][];
};

/**
 * Whether a moment lies in quiet hours, by the clock on that zone's walls: on days when it is put forward or back the hours are as long as
 * that clock says. Fails with CONFIG_INVALID for a zone that does not exist.
 */
export function createQuietHours({ zone, from, to, days }: QuietHours): (at: EpochMs) => boolean {
  const format = formatFor(zone);
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const day = String(parts.get('weekday')).toLowerCase();
    if (days.some((quiet) => quiet === day)) return true;
    const time = `${parts.get('hour')}:${parts.get('minute')}`;
    return from <= to ? time >= from && time < to : time >= from || time < to;
  };
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  } catch (cause) {
    throw new GaitError('CONFIG_INVALID', `${timeZone} is no time zone`, { cause });
  }
}
