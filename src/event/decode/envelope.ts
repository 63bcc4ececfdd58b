import { isJsonObject, type JsonObject } from './format.ts';

/**
 * Shippers put the gateway's record into a record of their own: as text or object under one of these keys (Fluent Bit and Docker `log`, Vector and
 * Logstash `message`, journald `MESSAGE`, Promtail `line`, Amazon SNS `Message`, EventBridge `detail`).
 */
const keys = ['message', 'log', 'MESSAGE', 'line', 'msg', 'payload', 'Message', 'detail'] as const;

/** What is inside: the records of a CloudTrail file, or the one record of an envelope; undefined when this is no envelope. */
export function unwrap(record: JsonObject): unknown {
  if (Array.isArray(record.Records)) return record.Records;
  for (const key of keys) {
    const inner = parseInner(record[key]);
    if (inner !== undefined) return inner;
  }
  // Logstash in ECS mode.
  return isJsonObject(record.event) ? parseInner(record.event.original) : undefined;
}

function parseInner(value: unknown): unknown {
  if (typeof value !== 'string') return isJsonObject(value) ? value : undefined;
  const start = value.trimStart();
  if (!start.startsWith('{') && !start.startsWith('[')) return undefined;
  try {
    return JSON.parse(start);
  } catch {
    return undefined;
  }
}

/** Deeper than `levelsMax` objects and arrays. It looks no further than the limit, so its own recursion is bounded. */
export function isDeeperThan(value: unknown, levelsMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levelsMax === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, levelsMax - 1));
  for (const key in value) if (isDeeperThan((value as JsonObject)[key], levelsMax - 1)) return true;
  return false;
}

/** As `isDeeperThan`, for text that is no JSON: a record cut inside deep nesting is still too deep. */
export function textIsDeeperThan(text: string, levelsMax: number): boolean {
  let level = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 92) i++;
      else if (code === 34) inString = false;
    } else if (code === 34) inString = true;
    else if (code === 123 || code === 91) {
      if (++level > levelsMax) return true;
    } else if (code === 125 || code === 93) level--;
  }
  return false;
}
