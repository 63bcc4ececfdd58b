import { emptyEvent, type TrafficEvent } from '../../src/event/traffic-event.ts';

/** An event with these fields, the others null. */
export function eventWith(fields: Partial<TrafficEvent>): TrafficEvent {
  return { ...emptyEvent(), ts: 1766000000123, ...fields };
}
