import type { StoreBatch } from '../../src/store/writer.ts';

export const epoch = Date.UTC(2026, 0, 5, 12);

/** A line of gait.scores as detect writes it: the canonical event without nulls, who made it, and what the shard found. */
export function scoreLine(seq: number, fields: Readonly<Record<string, unknown>> = {}): string {
  const identity = `user:acme:u${seq % 7}`;
  return JSON.stringify({
    ts: epoch + seq * 250,
    event_id: `e${seq}`,
    tenant: 'acme',
    source: 'gateway',
    sample_rate: 1,
    subject: `u${seq % 7}`,
    client_ip: `10.0.0.${seq % 200}`,
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
    method: seq % 3 === 0 ? 'POST' : 'GET',
    host: 'api.example.com',
    path: `/orders/${seq}?page`,
    route: '/orders/{id}',
    status: seq % 10 === 0 ? 404 : 200,
    response_bytes: 512 + seq,
    duration_ms: 12.5,
    scopes: ['orders:read'],
    sensitive: { email: 1 },
    object_ids: [`${seq}`],
    enforced: false,
    identity,
    identity_kind: 'user',
    src_topic: 'api-traffic',
    src_partition: 0,
    src_offset: seq,
    src_index: 0,
    ...fields,
    shard: 0,
    seq,
    surprise: 0.3,
    evidence: 0.1,
    risk: 2,
    top: ['rate_1m', 'route'],
    findings: [],
  });
}

export function scoreLines(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => scoreLine(first + i));
}

/** A batch of one record per given list of lines, offsets counted from `offset`. */
export function batchOf(topic: string, records: readonly (readonly string[])[], offset = 0): StoreBatch {
  return {
    topic,
    partition: 0,
    records: records.map((lines, i) => ({ offset: offset + i, value: Buffer.from(`${lines.join('\n')}\n`) })),
  };
}

/** The list cut into pieces of `size`. */
export function chunk<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}

/** Strings that mean something to SQL, JSON, HTML, spreadsheets, terminals or C. */
export const attackStrings: readonly string[] = [
  "'; DROP TABLE events_raw_v1; --",
  "' OR '1'='1",
  '"; SELECT 1; --',
  "\\'; DROP DATABASE gait; --",
  'back\\slash\\\\ and \\N and \\0',
  'line\nfeed\r\n;\n\n; SELECT 1',
  'tab\there',
  'nul\u0000byte',
  'emoji 😀 and 漢字 and ́combining',
  '{text:String}',
  '{"ts":0}\n{"ts":1}',
  '<script>alert(1)</script>',
  '=HYPERLINK("http://x")',
  '\u001b[31mred\u001b[0m\u0007',
  '","surprise":9,"findings":["x"],"seq":99999999,"x":"',
  '`backtick` $' + '{x} #{x} {{database}}',
  '\u2028\u2029\ufeff',
  'x'.repeat(20_000),
];
