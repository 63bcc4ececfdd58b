/** What a call to another system may name of a decision, as `{{session_id}}`. `subject` is the id of a user, without kind and tenant. */
export const decisionFields = [
  'subject',
  'session_id',
  'token_id',
  'tenant',
  'decision_id',
  'incident_id',
  'risk_level',
  'rule',
  'why',
] as const;
export type DecisionField = (typeof decisionFields)[number];

const place = /\{\{\s*(.*?)\s*\}\}/g;

export function unknownFields(template: string): readonly string[] {
  const known: readonly string[] = decisionFields;
  return [...template.matchAll(place)].flatMap(([, name = '']) => (known.includes(name) ? [] : [name]));
}

/** The template must know its fields; `value` escapes for the place where it is put. */
export function fillPlaces(template: string, value: (field: DecisionField) => string): string {
  return template.replace(place, (_, field: DecisionField) => value(field));
}
