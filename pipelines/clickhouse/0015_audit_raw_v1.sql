-- Who changed what, when and from where. Read the view `audit`.
CREATE TABLE IF NOT EXISTS {{database}}.audit_raw_v1
(
    `audit_id` String COMMENT 'Id of the entry',
    `at` DateTime64(3, 'UTC') COMMENT 'When, UTC',
    `who` LowCardinality(String) COMMENT 'Name of the key, or local where none is asked for',
    `from` String COMMENT 'Address that asked',
    `action` LowCardinality(String) COMMENT 'What was done: decision.make, decision.restore, ...',
    `about` String COMMENT 'To what: an identity as kind:tenant:id, or an id',
    `detail` String COMMENT 'The rest of it, JSON; no secrets' CODEC(ZSTD(1)),
    `stored_at` DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored, UTC'
)
ENGINE = ReplacingMergeTree
ORDER BY (at, audit_id)
COMMENT 'Changes by people and other systems; read the view audit';

CREATE VIEW IF NOT EXISTS {{database}}.audit AS
SELECT * FROM {{database}}.audit_raw_v1 FINAL
COMMENT 'Changes by people and other systems, one row each';
