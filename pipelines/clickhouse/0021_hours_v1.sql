-- The numbers per minute once more by hour, for weeks and months. Kept for 400 days after storing. Fed from the tables per minute as these are fed.
CREATE TABLE IF NOT EXISTS {{database}}.routes_per_hour_v1
(
    `hour` DateTime('UTC') COMMENT 'Hour of the event time, UTC' CODEC(Delta, ZSTD(1)),
    `tenant` LowCardinality(String) COMMENT 'Tenant, empty when there is one' CODEC(ZSTD(1)),
    `host` LowCardinality(String) COMMENT 'Host called' CODEC(ZSTD(1)),
    `route` LowCardinality(String) COMMENT 'Path template' CODEC(ZSTD(1)),
    `status_class` UInt8 COMMENT 'First digit of the status, 0 when unknown' CODEC(ZSTD(1)),
    `events` SimpleAggregateFunction(sum, Float64) COMMENT 'Events, estimated from the sample when only a sample is stored' CODEC(ZSTD(1)),
    `surprising` SimpleAggregateFunction(sum, UInt64) COMMENT 'Events with a surprise of 2 or more (p of 1 in 100 or less)' CODEC(ZSTD(1)),
    `response_bytes` SimpleAggregateFunction(sum, Float64) COMMENT 'Bytes sent, estimated like events' CODEC(ZSTD(1)),
    `duration_state` AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Nullable(Float32)) COMMENT 'Durations in milliseconds, as a t-digest' CODEC(ZSTD(1)),
    `stored_at` SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When last stored, UTC; retention counts from here' CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, tenant, host, route, status_class)
TTL stored_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Read the views events_per_hour and latency_per_hour';

INSERT INTO {{database}}.routes_per_hour_v1 SETTINGS insert_deduplication_token = '0021 routes'
SELECT
    toStartOfHour(r.minute) AS hour,
    r.tenant AS tenant,
    r.host AS host,
    r.route AS route,
    r.status_class AS status_class,
    sum(r.events) AS events,
    sum(r.surprising) AS surprising,
    sum(r.response_bytes) AS response_bytes,
    quantilesTDigestMergeState(0.5, 0.95, 0.99)(r.duration_state) AS duration_state,
    max(r.stored_at) AS stored_at
FROM {{database}}.routes_per_minute_v1 AS r
GROUP BY hour, tenant, host, route, status_class;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.routes_per_hour_v1_mv TO {{database}}.routes_per_hour_v1 AS
SELECT
    toStartOfHour(r.minute) AS hour,
    r.tenant AS tenant,
    r.host AS host,
    r.route AS route,
    r.status_class AS status_class,
    sum(r.events) AS events,
    sum(r.surprising) AS surprising,
    sum(r.response_bytes) AS response_bytes,
    quantilesTDigestMergeState(0.5, 0.95, 0.99)(r.duration_state) AS duration_state,
    max(r.stored_at) AS stored_at
FROM {{database}}.routes_per_minute_v1 AS r
GROUP BY hour, tenant, host, route, status_class;

CREATE TABLE IF NOT EXISTS {{database}}.identities_per_hour_v1
(
    `identity` String COMMENT 'kind:tenant:id' CODEC(ZSTD(3)),
    `hour` DateTime('UTC') COMMENT 'Hour of the event time, UTC' CODEC(Delta, ZSTD(1)),
    `events` SimpleAggregateFunction(sum, Float64) COMMENT 'Events, estimated from the sample when only a sample is stored' CODEC(ZSTD(1)),
    `errors` SimpleAggregateFunction(sum, Float64) COMMENT 'Events with status 400 or more' CODEC(ZSTD(1)),
    `surprise_max` SimpleAggregateFunction(max, Float32) COMMENT 'Highest surprise of the hour, -log10 p' CODEC(ZSTD(1)),
    `risk_max` SimpleAggregateFunction(max, Float32) COMMENT 'Highest risk of the hour, 0 to 100' CODEC(ZSTD(1)),
    `stored_at` SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When last stored, UTC; retention counts from here' CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (identity, hour)
TTL stored_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Read the view identities_per_hour';

INSERT INTO {{database}}.identities_per_hour_v1 SETTINGS insert_deduplication_token = '0021 identities'
SELECT
    i.identity AS identity,
    toStartOfHour(i.minute) AS hour,
    sum(i.events) AS events,
    sum(i.errors) AS errors,
    max(i.surprise_max) AS surprise_max,
    max(i.risk_max) AS risk_max,
    max(i.stored_at) AS stored_at
FROM {{database}}.identities_per_minute_v1 AS i
GROUP BY identity, hour;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.identities_per_hour_v1_mv TO {{database}}.identities_per_hour_v1 AS
SELECT
    i.identity AS identity,
    toStartOfHour(i.minute) AS hour,
    sum(i.events) AS events,
    sum(i.errors) AS errors,
    max(i.surprise_max) AS surprise_max,
    max(i.risk_max) AS risk_max,
    max(i.stored_at) AS stored_at
FROM {{database}}.identities_per_minute_v1 AS i
GROUP BY identity, hour;

CREATE VIEW IF NOT EXISTS {{database}}.events_per_hour AS
SELECT
    hour,
    tenant,
    host,
    route,
    status_class,
    sum(r.events) AS events,
    sum(r.surprising) AS surprising,
    sum(r.response_bytes) AS response_bytes
FROM {{database}}.routes_per_hour_v1 AS r
GROUP BY hour, tenant, host, route, status_class
COMMENT 'Events by hour, route and status class';

CREATE VIEW IF NOT EXISTS {{database}}.latency_per_hour AS
SELECT
    hour,
    tenant,
    host,
    route,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(r.duration_state) AS quantiles,
    quantiles[1] AS p50_ms,
    quantiles[2] AS p95_ms,
    quantiles[3] AS p99_ms
FROM {{database}}.routes_per_hour_v1 AS r
GROUP BY hour, tenant, host, route
COMMENT 'Durations by hour and route, milliseconds';

CREATE VIEW IF NOT EXISTS {{database}}.identities_per_hour AS
SELECT
    identity,
    hour,
    sum(i.events) AS events,
    sum(i.errors) AS errors,
    max(i.surprise_max) AS surprise_max,
    max(i.risk_max) AS risk_max
FROM {{database}}.identities_per_hour_v1 AS i
GROUP BY identity, hour
COMMENT 'Volume, errors, surprise and risk of each identity by hour';
