-- Findings by the minute of their first event and by kind, counted by id, so that updates and repeats change nothing.
CREATE TABLE IF NOT EXISTS {{database}}.findings_per_minute_v1
(
    `minute` DateTime('UTC') COMMENT 'Minute of the finding''s first event, UTC',
    `tenant` LowCardinality(String) COMMENT 'Tenant, empty when there is one',
    `kind` LowCardinality(String) COMMENT 'What is claimed',
    `ids_state` AggregateFunction(uniq, String) COMMENT 'Ids of the findings: counts exactly up to 65,536 a minute, within 1 % beyond'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, tenant, kind)
COMMENT 'Read the view findings_per_minute';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.findings_per_minute_v1_mv TO {{database}}.findings_per_minute_v1 AS
SELECT
    toStartOfMinute(first_seen) AS minute,
    tenant,
    kind,
    uniqState(finding_id) AS ids_state
FROM {{database}}.findings_raw_v1
GROUP BY minute, tenant, kind;
