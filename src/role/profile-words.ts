import type { IdentityRow } from '../store/queries.ts';
import type { Profile, Use } from '../store/queries-profile.ts';
import { callName } from './incident-timeline.ts';

/** Days from which on there can be talk of usual hours. */
const activeDaysMin = 5;
/** The store lists so many of each kind of use. */
const usesMax = 20;

/** What an identity usually does, in sentences. They hold names that callers wrote, and are text wherever they are shown. */
export function wordsOf(identity: IdentityRow, profile: Profile): readonly string[] {
  const { events, errors, first_seen, last_seen } = identity;
  const days = Math.max(1, Math.ceil((Date.parse(last_seen) - Date.parse(first_seen)) / 86_400_000));
  const { active_days: active, route_count } = profile;
  const calls = profile.heat.flat().reduce((sum, each) => sum + each, 0);
  return [
    `Known for ${many(days, 'day')}, ${many(events, 'call')}${active === 0 ? '' : `; ${number(calls / active)} on a day when it is active`}.`,
    ...(active < activeDaysMin ? [] : hoursOf(profile.heat, calls)),
    ...routesOf(profile.routes, { calls: events, count: route_count }),
    ...usesOf('Comes from', 'network', profile.networks),
    ...usesOf('Uses', 'program', profile.clients),
    ...(events === 0 ? [] : [`${percent(errors / events)} of its calls fail.`]),
  ];
}

/** The shortest stretch of hours that holds four fifths of the calls, when that says something. */
function hoursOf(heat: Profile['heat'], calls: number): string[] {
  const hours = Array.from({ length: 24 }, (_, hour) => heat.reduce((sum, day) => sum + day[hour]!, 0));
  const weekend = [...heat[5]!, ...heat[6]!].reduce((sum, each) => sum + each, 0) / calls;
  const days = weekend < 0.05 ? 'Monday to Friday' : weekend > 0.95 ? 'at weekends' : 'on any day';
  for (let length = 1; length <= 16; length++) {
    for (let from = 0; from < 24; from++) {
      const share =
        Array.from({ length }, (_, i) => hours[(from + i) % 24]!).reduce((sum, each) => sum + each, 0) / calls;
      if (share < 0.8) continue;
      return [
        `Active ${days}, mostly from ${clock(from)} to ${clock((from + length) % 24)} UTC (${percent(share)} of its calls).`,
      ];
    }
  }
  return [`Active ${days}, around the clock.`];
}

function routesOf(routes: Profile['routes'], all: { readonly calls: number; readonly count: number }): string[] {
  const [first] = routes;
  if (first === undefined || all.calls === 0) return [];
  return [
    `Uses ${many(all.count, 'function')}; ${callName(first)} makes ${percent(first.calls / all.calls)} of its calls.`,
  ];
}

function usesOf(verb: string, noun: string, uses: readonly Use[]): string[] {
  const total = uses.reduce((sum, { calls }) => sum + calls, 0);
  if (total === 0) return [];
  const named = uses.slice(0, 3).map(({ value, calls }) => `${value.slice(0, 100)} (${percent(calls / total)})`);
  const more = uses.length > named.length ? ', …' : '';
  const count = uses.length < usesMax ? many(uses.length, noun) : `${usesMax} or more ${noun}s`;
  return [`${verb} ${count}: ${named.join(', ')}${more}.`];
}

function many(count: number, noun: string): string {
  return `${number(count)} ${noun}${Math.round(count) === 1 ? '' : 's'}`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 1 ? '<1' : Math.round(value)} %`;
}

function clock(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`;
}
