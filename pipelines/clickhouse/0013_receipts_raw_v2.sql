-- How far a decision came at each enforcement point and receiver: one row per step, where 0005 kept the last step only. Read the view `receipts`.
CREATE TABLE IF NOT EXISTS {{database}}.receipts_raw_v2
(
    `decision_id` String COMMENT 'Decision that it is about',
    `target` LowCardinality(String) COMMENT 'Enforcement point or receiver; traffic for what the calls themselves say',
    `state` LowCardinality(String) COMMENT 'Step: delivered, rejected, failed, skipped-stale, seen, acknowledged, effective, ineffective or unseen',
    `attempts` UInt32 COMMENT 'Tries of a delivery; answers that carried it (seen); calls that passed all the same (ineffective)',
    `status` Nullable(UInt16) COMMENT 'HTTP status of the last try, null when there was no answer',
    `detail` String COMMENT 'What the receiver, the network or the calls said, one sentence',
    `at` DateTime64(3, 'UTC') COMMENT 'When, UTC',
    `stored_at` DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored, UTC'
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (decision_id, target, state)
COMMENT 'Steps of decisions at their receivers; read the view receipts';

INSERT INTO {{database}}.receipts_raw_v2 (decision_id, target, state, attempts, status, detail, at)
SELECT decision_id, target, state, attempts, status, detail, at FROM {{database}}.receipts_raw_v1 FINAL;

CREATE OR REPLACE VIEW {{database}}.receipts AS
SELECT * FROM {{database}}.receipts_raw_v2 FINAL
COMMENT 'How far each decision came at each enforcement point and receiver, one row per step';
