-- Traffic and latency by minute, route and status class. Kept for 400 days after storing, to compare with last year.
CREATE TABLE IF NOT EXISTS {{database}}.routes_per_minute_v1
(
    `minute` DateTime('UTC') COMMENT 'Minute of the event time, UTC' CODEC(Delta, ZSTD(1)),
    `tenant` LowCardinality(String) COMMENT 'Tenant, empty when there is one',
    `host` LowCardinality(String) COMMENT 'Host called',
    `route` LowCardinality(String) COMMENT 'Path template',
    `status_class` UInt8 COMMENT 'First digit of the status, 0 when unknown',
    `events` SimpleAggregateFunction(sum, Float64) COMMENT 'Events, estimated from the sample when only a sample is stored',
    `surprising` SimpleAggregateFunction(sum, UInt64) COMMENT 'Events with a surprise of 2 or more (p of 1 in 100 or less)',
    `response_bytes` SimpleAggregateFunction(sum, Float64) COMMENT 'Bytes sent, estimated like events',
    `duration_state` AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Nullable(Float32)) COMMENT 'Durations in milliseconds, as a t-digest',
    `stored_at` SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When last stored, UTC; retention counts from here'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, tenant, host, route, status_class)
TTL stored_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Read the views events_per_minute and latency_per_minute';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.routes_per_minute_v1_mv TO {{database}}.routes_per_minute_v1 AS
SELECT
    toStartOfMinute(ts) AS minute,
    tenant,
    host,
    route,
    toUInt8(intDiv(status, 100)) AS status_class,
    sum(toFloat64(sample_weight)) AS events,
    countIf(surprise >= 2) AS surprising,
    sum(ifNull(e.response_bytes, 0) * toFloat64(sample_weight)) AS response_bytes,
    quantilesTDigestState(0.5, 0.95, 0.99)(duration_ms) AS duration_state,
    max(e.stored_at) AS stored_at
FROM {{database}}.events_raw_v1 AS e
GROUP BY minute, tenant, host, route, status_class;
