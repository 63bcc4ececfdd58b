-- Refused records by minute and reason, counted by id, so that a repeat changes nothing.
CREATE TABLE IF NOT EXISTS {{database}}.dead_letters_per_minute_v1
(
    `minute` DateTime('UTC') COMMENT 'Minute in which the records were refused, UTC',
    `source` LowCardinality(String) COMMENT 'Topic or file that held the records',
    `reason` LowCardinality(String) COMMENT 'Why, from a closed list',
    `ids_state` AggregateFunction(uniq, String) COMMENT 'Ids of the records: counts exactly up to 65,536 a minute, within 1 % beyond',
    `stored_at` SimpleAggregateFunction(max, DateTime('UTC')) COMMENT 'When last stored, UTC; retention counts from here'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, source, reason)
TTL stored_at + INTERVAL 400 DAY
COMMENT 'Read the view dead_letters_per_minute';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.dead_letters_per_minute_v1_mv TO {{database}}.dead_letters_per_minute_v1 AS
SELECT
    toStartOfMinute(at) AS minute,
    source,
    reason,
    uniqState(id) AS ids_state,
    max(d.stored_at) AS stored_at
FROM {{database}}.dead_letters_raw_v1 AS d
GROUP BY minute, source, reason;
