import { hourMs } from '../week.ts';
import type { Persona, Stage, WireEvent } from '../world.ts';

/**
 * Look-alikes that are about the world: many identities change at once and nobody did anything wrong. In: a stage. Out: a changed world, and a watch
 * that labels what the change touches. Never: an event that ordinary life would not have made.
 */
export type Watching = {
  readonly hours: number;
  /** Whose events; everybody's when left out. */
  readonly personas?: readonly Persona[];
  readonly fits?: (event: WireEvent) => boolean;
};

/** Labels the fitting events of the next hours. A refused call proves no identity and is left out. */
export function watch({ world, incident }: Stage, { hours, personas, fits }: Watching): void {
  const names = personas === undefined ? null : new Set(personas.map((persona) => persona.name));
  world.watch({
    fromMs: world.now,
    untilMs: world.now + hours * hourMs,
    incident,
    fits: (event) =>
      event.status !== 401 &&
      (names === null || names.has(callerOf(event) ?? '')) &&
      (fits === undefined || fits(event)),
  });
}

/** The persona's name behind an event. */
function callerOf(event: WireEvent): string | null | undefined {
  return event.subject ?? event.consumer ?? event.mtls_subject ?? event.client_id;
}

/** The newest local midnight of an office in the middle of Europe, so that days begin at night. */
export function atNight(ms: number): number {
  return Math.floor(ms / (24 * hourMs)) * 24 * hourMs + hourMs;
}
