-- What policy decided; the highest version wins. Read the view `decisions`.
CREATE TABLE IF NOT EXISTS {{database}}.decisions_raw_v1
(
    `decision_id` String COMMENT 'Derived from the claim, so a replay writes the same id',
    `identity` String COMMENT 'Whom it is about: kind:tenant:id',
    `identity_kind` LowCardinality(String) COMMENT 'user, mtls, api-key, client, consumer, session, device or address',
    `tenant` LowCardinality(String) COMMENT 'Tenant, empty when there is one',
    `action` LowCardinality(String) COMMENT 'observe, notify, throttle, step-up, revoke-session, revoke-identity or restore',
    `mode` LowCardinality(String) COMMENT 'enforce, or shadow: made and stored, not sent',
    `rule` LowCardinality(String) COMMENT 'Policy rule that matched',
    `why` String COMMENT 'Why the rule exists, one sentence',
    `finding_ids` Array(String) COMMENT 'Findings behind it',
    `incident_id` String COMMENT 'Incident behind it',
    `risk` Float32 COMMENT 'Risk of the identity when it was made, 0 to 100',
    `risk_level` LowCardinality(String) COMMENT 'LOW, MEDIUM or HIGH',
    `session_id` String COMMENT 'Session that it is limited to, empty for all',
    `made_at` DateTime64(3, 'UTC') COMMENT 'Event time at which it was made, UTC',
    `expires_at` DateTime64(3, 'UTC') COMMENT 'When it ends by itself, UTC',
    `shard` UInt32 COMMENT 'Shard that made it',
    `version` UInt64 COMMENT 'Grows with every update; the highest wins',
    `stored_at` DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored, UTC'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY decision_id
COMMENT 'Decisions of policy; read the view decisions';
