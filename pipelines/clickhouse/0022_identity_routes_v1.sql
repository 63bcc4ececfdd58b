-- Which routes each identity uses, and since when. Kept for 400 days after the last use was stored.
CREATE TABLE IF NOT EXISTS {{database}}.identity_routes_v1
(
    `identity` String COMMENT 'kind:tenant:id' CODEC(ZSTD(3)),
    `method` LowCardinality(String) COMMENT 'HTTP method' CODEC(ZSTD(1)),
    `host` LowCardinality(String) COMMENT 'Host called' CODEC(ZSTD(1)),
    `route` LowCardinality(String) COMMENT 'Path template' CODEC(ZSTD(1)),
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Time of its first call, UTC' CODEC(ZSTD(1)),
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Time of its newest call, UTC' CODEC(ZSTD(1)),
    `calls` SimpleAggregateFunction(sum, Float64) COMMENT 'Calls, estimated from the sample when only a sample is stored' CODEC(ZSTD(1)),
    `errors` SimpleAggregateFunction(sum, Float64) COMMENT 'Calls with status 400 or more' CODEC(ZSTD(1)),
    `surprise_max` SimpleAggregateFunction(max, Float32) COMMENT 'Highest surprise of its calls, -log10 p' CODEC(ZSTD(1)),
    `stored_at` SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When last stored, UTC; retention counts from here' CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (identity, host, route, method)
TTL stored_at + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Read the view identity_routes';

INSERT INTO {{database}}.identity_routes_v1 SETTINGS insert_deduplication_token = '0022'
SELECT
    identity,
    method,
    host,
    route,
    min(ts) AS first_seen,
    max(ts) AS last_seen,
    sum(toFloat64(sample_weight)) AS calls,
    sumIf(toFloat64(sample_weight), status >= 400) AS errors,
    max(surprise) AS surprise_max,
    max(e.stored_at) AS stored_at
FROM {{database}}.events_raw_v1 AS e
GROUP BY identity, method, host, route;

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.identity_routes_v1_mv TO {{database}}.identity_routes_v1 AS
SELECT
    identity,
    method,
    host,
    route,
    min(ts) AS first_seen,
    max(ts) AS last_seen,
    sum(toFloat64(sample_weight)) AS calls,
    sumIf(toFloat64(sample_weight), status >= 400) AS errors,
    max(surprise) AS surprise_max,
    max(e.stored_at) AS stored_at
FROM {{database}}.events_raw_v1 AS e
GROUP BY identity, method, host, route;

CREATE VIEW IF NOT EXISTS {{database}}.identity_routes AS
SELECT
    identity,
    method,
    host,
    route,
    min(i.first_seen) AS first_seen,
    max(i.last_seen) AS last_seen,
    sum(i.calls) AS calls,
    sum(i.errors) AS errors,
    max(i.surprise_max) AS surprise_max
FROM {{database}}.identity_routes_v1 AS i
GROUP BY identity, method, host, route
COMMENT 'Which routes each identity uses, and since when';
