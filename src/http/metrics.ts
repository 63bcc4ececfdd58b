import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the service counts. Passed around as plain functions, so that nothing else knows who keeps the numbers. Labels come from closed lists or the configuration, never from an event. */
export type Metrics = {
  readonly eventsIn: (source: string, events: number) => void;
  readonly deadLettered: (reason: string, records: number) => void;
  readonly duplicates: (events: number) => void;
  readonly late: (events: number) => void;
  readonly lag: (topic: string, partition: number, records: number) => void;
  /** From the event's arrival in the log to its verdict. */
  readonly verdictLatency: (seconds: number) => void;
  readonly identitiesHeld: (shard: number, identities: number) => void;
  readonly stateBytesHeld: (shard: number, bytes: number) => void;
  readonly identitiesEvicted: (identities: number) => void;
  /** The same of the second tier. */
  readonly activeHeld: (shard: number, identities: number) => void;
  readonly activeEvicted: (identities: number) => void;
  /** Calls whose route went to `{other}`, because their host had the most routes that it may have. */
  readonly routesOther: (events: number) => void;
  readonly findings: (kind: string, severity: string) => void;
  readonly signals: (action: string, mode: string) => void;
  readonly inserted: (table: string, rows: number) => void;
  readonly delivered: (target: string, state: string) => void;
  /** Enforced decisions in force that no enforcement point or receiver has taken in their time. */
  readonly decisionsUnseen: (decisions: number) => void;
  /** Answers to enforcement points, by their keys' names. */
  readonly answered: (point: string, verdict: string) => void;
  readonly decisionsHeld: (decisions: number, dropped: number) => void;
  readonly httpRequest: (route: string, status: number) => void;
  /** Records not read yet, by topic. */
  readonly lags: () => Promise<readonly { readonly topic: string; readonly records: number }[]>;
  /** The text format of Prometheus. */
  readonly expose: () => Promise<{ readonly type: string; readonly text: string }>;
};

/** Verdicts take a quarter of a second by default (the reorder window), so the buckets are finest around it. */
const latencyBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 10, 30, 60, 300];

export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const registry = registers[0]!;
  collectDefaultMetrics({ register: registry, prefix: 'gait_' });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name: `gait_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name: `gait_${name}`, help, labelNames, registers });

  const eventsIn = counter('events_in_total', 'Events decoded, by source', ['source']);
  const deadLettered = counter('dead_lettered_total', 'Records that could not become events, by reason', ['reason']);
  const duplicates = counter('duplicates_total', 'Events dropped because they had been seen');
  const late = counter('late_total', 'Events beyond the allowed lateness: learned from, never acted on');
  const lag = gauge('lag_records', 'Records of a partition that are not read yet', ['topic', 'partition']);
  const latency = new Histogram({
    name: 'gait_verdict_latency_seconds',
    help: 'From a call (its ts) to its verdict',
    buckets: latencyBuckets,
    registers,
  });
  const identitiesHeld = gauge('identities_held', 'Identities in memory, by shard', ['shard']);
  const stateBytesHeld = gauge('state_bytes_held', 'Bytes of state in memory, by shard', ['shard']);
  const evicted = counter('identities_evicted_total', 'Coldest identities moved out of memory at the limit');
  const activeHeld = gauge('active_identities_held', 'Identities of which more is remembered, by shard', ['shard']);
  const activeEvicted = counter(
    'active_identities_evicted_total',
    'Active identities that the ones seen later pushed out',
  );
  const routesOther = counter('routes_other_total', 'Events counted as {other} beyond the routes per host');
  const findings = counter('findings_total', 'Findings opened', ['kind', 'severity']);
  const signals = counter('signals_total', 'Decisions made', ['action', 'mode']);
  const insertBatches = counter('insert_batches_total', 'Batches written to the store', ['table']);
  const insertRows = counter('insert_rows_total', 'Rows written to the store', ['table']);
  const unseen = gauge('decisions_unseen', 'Enforced decisions in force that nobody has taken in their time');
  const deliveries = counter('deliveries_total', 'Deliveries by receiver and end', ['target', 'state']);
  const httpRequest = tally(
    { name: 'gait_http_requests_total', help: 'HTTP requests by route and status', registers },
    ['route', 'status'],
  );

  return {
    eventsIn: (source, events) => eventsIn.inc({ source }, events),
    deadLettered: (reason, records) => deadLettered.inc({ reason }, records),
    duplicates: (events) => duplicates.inc(events),
    late: (events) => late.inc(events),
    lag: (topic, partition, records) => lag.set({ topic, partition }, records),
    verdictLatency: (seconds) => latency.observe(seconds),
    identitiesHeld: (shard, identities) => identitiesHeld.set({ shard }, identities),
    stateBytesHeld: (shard, bytes) => stateBytesHeld.set({ shard }, bytes),
    identitiesEvicted: (identities) => evicted.inc(identities),
    activeHeld: (shard, identities) => activeHeld.set({ shard }, identities),
    activeEvicted: (identities) => activeEvicted.inc(identities),
    routesOther: (events) => routesOther.inc(events),
    findings: (kind, severity) => findings.inc({ kind, severity }),
    signals: (action, mode) => signals.inc({ action, mode }),
    inserted: (table, rows) => {
      insertBatches.inc({ table });
      insertRows.inc({ table }, rows);
    },
    delivered: (target, state) => deliveries.inc({ target, state }),
    decisionsUnseen: (decisions) => unseen.set(decisions),
    ...enforcementMetrics(registers),
    httpRequest,
    lags: () => byTopic(lag),
    expose: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

async function byTopic(lag: Gauge<'topic' | 'partition'>): Promise<{ topic: string; records: number }[]> {
  const records = new Map<string, number>();
  for (const { labels, value } of (await lag.get()).values) {
    const topic = String(labels.topic);
    records.set(topic, (records.get(topic) ?? 0) + value);
  }
  return [...records].map(([topic, waiting]) => ({ topic, records: waiting }));
}

/** A counter of what happens thousands of times a second: added up here, and by its library only when somebody looks. */
function tally<A extends string, B extends string | number>(
  what: { readonly name: string; readonly help: string; readonly registers: Registry[] },
  labelNames: readonly [string, string],
): (first: A, second: B) => void {
  const counts = new Map<A, Map<B, number>>();
  new Counter({
    ...what,
    labelNames,
    collect() {
      for (const [first, bySecond] of counts)
        for (const [second, n] of bySecond) this.inc({ [labelNames[0]]: first, [labelNames[1]]: second }, n);
      counts.clear();
    },
  });
  return (first, second) => {
    const bySecond = counts.get(first) ?? new Map<B, number>();
    counts.set(first, bySecond.set(second, (bySecond.get(second) ?? 0) + 1));
  };
}

function enforcementMetrics(registers: Registry[]): Pick<Metrics, 'answered' | 'decisionsHeld'> {
  const answered = tally({ name: 'gait_enforcement_answers_total', help: 'Answers to enforcement points', registers }, [
    'point',
    'verdict',
  ]);
  const held = new Gauge({
    name: 'gait_decisions_held',
    help: 'Decisions in force that this process answers with',
    registers,
  });
  const dropped = new Gauge({
    name: 'gait_decisions_dropped',
    help: 'Decisions in force forgotten for want of room',
    registers,
  });
  return {
    answered,
    decisionsHeld: (decisions, forgotten) => {
      held.set(decisions);
      dropped.set(forgotten);
    },
  };
}
