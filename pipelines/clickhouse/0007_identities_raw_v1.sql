-- One row per identity after merging, fed from the events as they are inserted.
CREATE TABLE IF NOT EXISTS {{database}}.identities_raw_v1
(
    `identity` String COMMENT 'kind:tenant:id',
    `identity_kind` SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'user, mtls, api-key, client, consumer, session, device or address',
    `tenant` SimpleAggregateFunction(anyLast, LowCardinality(String)) COMMENT 'Tenant, empty when there is one',
    `first_seen` SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'Time of its first event, UTC',
    `last_seen` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Time of its newest event, UTC',
    `events` SimpleAggregateFunction(sum, Float64) COMMENT 'Events, estimated from the sample when only a sample is stored',
    `errors` SimpleAggregateFunction(sum, Float64) COMMENT 'Events with status 400 or more',
    `surprise_max` SimpleAggregateFunction(max, Float32) COMMENT 'Highest surprise of its events, -log10 p',
    `risk_max` SimpleAggregateFunction(max, Float32) COMMENT 'Highest risk it ever had, 0 to 100',
    `risk_state` AggregateFunction(argMax, Float32, DateTime64(3, 'UTC')) COMMENT 'Risk after its newest event, 0 to 100; not decayed since'
)
ENGINE = AggregatingMergeTree
ORDER BY identity
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Every identity ever seen; read the view identities';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.identities_raw_v1_mv TO {{database}}.identities_raw_v1 AS
SELECT
    identity,
    anyLast(e.identity_kind) AS identity_kind,
    anyLast(e.tenant) AS tenant,
    min(ts) AS first_seen,
    max(ts) AS last_seen,
    sum(toFloat64(sample_weight)) AS events,
    sumIf(toFloat64(sample_weight), status >= 400) AS errors,
    max(surprise) AS surprise_max,
    max(risk) AS risk_max,
    argMaxState(risk, ts) AS risk_state
FROM {{database}}.events_raw_v1 AS e
GROUP BY identity;
