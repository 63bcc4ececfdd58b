import { canonicalFields, type FieldName } from '../canonical-fields.ts';
import { assign, type Draft } from '../draft.ts';
import { isMissing } from './coerce.ts';
import { assignCredentials } from './credentials.ts';
import { assignTime, type Format, isJsonObject, type JsonObject } from './format.ts';

/** Where one canonical field comes from: a path, or a rule with exactly one of `from` and `constant`. */
export type FieldRule = string | PathRule;

type PathRule = {
  /** Dotted paths into the record (`request.headers.host`, `tries.0.ip`), first one that is there; a key with dots in it is found whole. */
  readonly from?: string | readonly string[];
  readonly constant?: string | number | boolean;
  readonly case?: 'lower' | 'upper';
};

/** The parsed form of a `--map` file; `authorization` and `cookie` may be mapped too, and are read for their claims. */
export type FieldMap = {
  readonly fields: Readonly<Partial<Record<FieldName | 'authorization' | 'cookie', FieldRule>>>;
};

const credentialNames = new Set(['authorization', 'cookie']);
/** What a map may fill. */
export const mapNames: readonly string[] = [...Object.keys(canonicalFields), ...credentialNames];

type Step = { readonly name: string; readonly read: (record: JsonObject) => unknown };

/** A format out of a map. */
export function compileMap(map: FieldMap): Format {
  const steps: Step[] = Object.entries(map.fields).map(([name, rule]) => ({
    name,
    read: compileRule(typeof rule === 'string' ? { from: rule } : rule),
  }));
  const readTime = steps.find(({ name }) => name === 'ts')?.read;
  return {
    name: 'map',
    // Without the mapped time the record may be in a shipper's envelope.
    detect: (record) => readTime === undefined || !isMissing(readTime(record)),
    decode(record: JsonObject, draft: Draft): void {
      const credentials: Record<string, unknown> = {};
      for (const { name, read } of steps) {
        const value = read(record);
        if (credentialNames.has(name)) credentials[name] = value;
        else if (name === 'ts') assignTime(draft, value);
        else assign(draft, name, value);
      }
      assignCredentials(draft, credentials);
    },
  };
}

function compileRule(rule: PathRule): Step['read'] {
  if (rule.from === undefined) return () => rule.constant;
  const paths = (typeof rule.from === 'string' ? [rule.from] : rule.from).map((path) => ({
    path,
    keys: path.split('.'),
  }));
  return (record) => {
    for (const { path, keys } of paths) {
      const value = Object.hasOwn(record, path) ? record[path] : lookUp(record, keys);
      if (isMissing(value)) continue;
      if (typeof value !== 'string' || rule.case === undefined) return value;
      return rule.case === 'lower' ? value.toLowerCase() : value.toUpperCase();
    }
    return null;
  };
}

/** Own properties only, so that `constructor` in a path or a record finds nothing that JSON did not hold. */
function lookUp(record: unknown, keys: readonly string[]): unknown {
  let value = record;
  for (const key of keys) {
    if ((!isJsonObject(value) && !Array.isArray(value)) || !Object.hasOwn(value, key)) return undefined;
    value = (value as JsonObject)[key];
  }
  return value;
}
