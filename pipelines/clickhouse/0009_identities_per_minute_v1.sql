-- Volume, errors, surprise and risk of each identity by minute. Kept as long as the events.
CREATE TABLE IF NOT EXISTS {{database}}.identities_per_minute_v1
(
    `identity` String COMMENT 'kind:tenant:id',
    `minute` DateTime('UTC') COMMENT 'Minute of the event time, UTC' CODEC(Delta, ZSTD(1)),
    `events` SimpleAggregateFunction(sum, Float64) COMMENT 'Events, estimated from the sample when only a sample is stored',
    `errors` SimpleAggregateFunction(sum, Float64) COMMENT 'Events with status 400 or more',
    `surprise_max` SimpleAggregateFunction(max, Float32) COMMENT 'Highest surprise of the minute, -log10 p',
    `risk_max` SimpleAggregateFunction(max, Float32) COMMENT 'Highest risk of the minute, 0 to 100',
    `stored_at` SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When last stored, UTC; retention counts from here'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (identity, minute)
TTL stored_at + INTERVAL {{ttl_days}} DAY
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Read the view identities_per_minute';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.identities_per_minute_v1_mv TO {{database}}.identities_per_minute_v1 AS
SELECT
    identity,
    toStartOfMinute(ts) AS minute,
    sum(toFloat64(sample_weight)) AS events,
    sumIf(toFloat64(sample_weight), status >= 400) AS errors,
    max(surprise) AS surprise_max,
    max(risk) AS risk_max,
    max(e.stored_at) AS stored_at
FROM {{database}}.events_raw_v1 AS e
GROUP BY identity, minute;
