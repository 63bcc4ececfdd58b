import type { ResolvedEvent } from '../../identity/resolved-event.ts';

/**
 * Fixed thresholds as in the collections that CrowdSec's hub installs for HTTP (http-probing, http-crawl-non_statics, http-generic-bf and the
 * 401 and 403 variants): a bucket per address takes a call, or a call with a value it does not hold yet, and loses one every `leakMs`. Beyond its
 * capacity it alerts. Here also per identity, which helps it. The score is the fullest bucket's level over its capacity: above 1 is an alert.
 */
type Rule = {
  readonly name: string;
  readonly capacity: number;
  readonly leakMs: number;
  readonly takes: (event: ResolvedEvent) => boolean;
  /** With it, only calls of values that the bucket does not hold yet count. */
  readonly distinct: boolean;
};

const reads = ({ event }: ResolvedEvent): boolean => event.method === 'GET' || event.method === 'HEAD';
const rules: readonly Rule[] = [
  {
    name: 'http-probing',
    capacity: 10,
    leakMs: 10_000,
    takes: ({ event: { status } }) => status === 404 || status === 403 || status === 400,
    distinct: true,
  },
  { name: 'http-crawl-non_statics', capacity: 40, leakMs: 500, takes: reads, distinct: true },
  {
    name: 'http-generic-bf',
    capacity: 5,
    leakMs: 10_000,
    takes: ({ event }) => event.status === 401 || event.auth_result === 'failure',
    distinct: false,
  },
  {
    name: 'http-generic-403-bf',
    capacity: 5,
    leakMs: 10_000,
    takes: ({ event }) => event.status === 403,
    distinct: false,
  },
];

type Bucket = { level: number; ts: number; values: Set<string> };

export class LeakyBuckets {
  readonly #buckets = new Map<string, Bucket>();

  score(resolved: ResolvedEvent): number {
    let fullest = 0;
    for (const rule of rules) {
      if (!rule.takes(resolved)) continue;
      for (const key of new Set([resolved.identity, resolved.event.client_ip])) {
        if (key !== null) fullest = Math.max(fullest, this.#pour(rule, key, resolved) / rule.capacity);
      }
    }
    return fullest;
  }

  #pour(rule: Rule, key: string, { event, route }: ResolvedEvent): number {
    const name = `${rule.name} ${key}`;
    let bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      bucket = { level: 0, ts: event.ts, values: new Set() };
      this.#buckets.set(name, bucket);
    }
    bucket.level = Math.max(0, bucket.level - (event.ts - bucket.ts) / rule.leakMs);
    bucket.ts = event.ts;
    if (bucket.level === 0) bucket.values.clear();
    const value = event.path ?? event.operation ?? route;
    if (!rule.distinct || !bucket.values.has(value)) bucket.level++;
    if (rule.distinct) bucket.values.add(value);
    return bucket.level;
  }
}
