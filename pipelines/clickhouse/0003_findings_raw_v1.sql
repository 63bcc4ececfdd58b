-- Findings; every update is a row, the highest version wins. Read the view `findings`.
CREATE TABLE IF NOT EXISTS {{database}}.findings_raw_v1
(
    `finding_id` String COMMENT 'Derived from the claim, so a replay writes the same id',
    `kind` LowCardinality(String) COMMENT 'What is claimed: rate_spike, new_function, ...',
    `identity` String COMMENT 'Whom it is about: kind:tenant:id',
    `identity_kind` LowCardinality(String) COMMENT 'user, mtls, api-key, client, consumer, session, device or address',
    `tenant` LowCardinality(String) COMMENT 'Tenant, empty when there is one',
    `incident_id` String COMMENT 'Incident that groups related findings',
    `state` LowCardinality(String) COMMENT 'open or closed',
    `severity` LowCardinality(String) COMMENT 'low, medium, high or critical',
    `confidence` Float32 COMMENT '0 to 1: how much of the baseline is the identity''s own, and how many families agree',
    `first_seen` DateTime64(3, 'UTC') COMMENT 'Time of its first event, UTC',
    `last_seen` DateTime64(3, 'UTC') COMMENT 'Time of its newest event, UTC',
    `count` UInt64 COMMENT 'Events in it',
    `surprise` Float32 COMMENT 'Highest surprise of its events, -log10 p',
    `risk` Float32 COMMENT 'Risk of the identity after the last update, 0 to 100',
    `title` String COMMENT 'One sentence that a person can read',
    `reasons` String COMMENT 'JSON array: feature, observed, expected, low, high, share, level, sample_size, text' CODEC(ZSTD(3)),
    `event_ids` Array(String) COMMENT 'At most ten example events, the most surprising',
    `owasp` Array(LowCardinality(String)) COMMENT 'OWASP API Security risks',
    `attack` Array(LowCardinality(String)) COMMENT 'MITRE ATT&CK techniques',
    `shard` UInt32 COMMENT 'Shard that made it',
    `version` UInt64 COMMENT 'Grows with every update; the highest wins',
    `stored_at` DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored, UTC'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY finding_id
COMMENT 'Findings with their history of updates until parts merge; read the view findings';
