import type { AlertField } from '../core/words.ts';

/** Puts values into `{field}`s, once: what stands in a value is not looked at again. No conditions, no code, no paths. */
export function fill(template: string, values: Readonly<Record<AlertField, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? values[name as AlertField] : whole,
  );
}
