-- Events by the gateway or file that reported them, from when this table was made.
CREATE TABLE IF NOT EXISTS {{database}}.sources_per_minute_v1
(
    `minute` DateTime('UTC') COMMENT 'Minute of the event time, UTC' CODEC(Delta, ZSTD(1)),
    `source` LowCardinality(String) COMMENT 'Gateway or file that reported the calls',
    `events` SimpleAggregateFunction(sum, Float64) COMMENT 'Events, estimated from the sample when only a sample is stored',
    `errors` SimpleAggregateFunction(sum, Float64) COMMENT 'Events with status 400 or more',
    `surprising` SimpleAggregateFunction(sum, UInt64) COMMENT 'Events with a surprise of 2 or more (p of 1 in 100 or less)',
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Time of the newest event, UTC',
    `stored_at` SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When last stored, UTC; retention counts from here'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, source)
TTL stored_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Read the view sources_per_minute';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.sources_per_minute_v1_mv TO {{database}}.sources_per_minute_v1 AS
SELECT
    toStartOfMinute(ts) AS minute,
    source,
    sum(toFloat64(sample_weight)) AS events,
    sumIf(toFloat64(sample_weight), status >= 400) AS errors,
    countIf(surprise >= 2) AS surprising,
    max(ts) AS last_seen,
    max(e.stored_at) AS stored_at
FROM {{database}}.events_raw_v1 AS e
GROUP BY minute, source;

CREATE VIEW IF NOT EXISTS {{database}}.sources_per_minute AS
SELECT
    minute,
    source,
    sum(s.events) AS events,
    sum(s.errors) AS errors,
    sum(s.surprising) AS surprising,
    max(s.last_seen) AS last_seen
FROM {{database}}.sources_per_minute_v1 AS s
GROUP BY minute, source
COMMENT 'Events by minute and reporting gateway';
