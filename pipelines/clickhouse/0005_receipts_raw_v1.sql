-- What became of a decision at each receiver; the newest receipt wins. Read the view `receipts`.
CREATE TABLE IF NOT EXISTS {{database}}.receipts_raw_v1
(
    `decision_id` String COMMENT 'Decision that was delivered',
    `target` LowCardinality(String) COMMENT 'Enforcement point or receiver',
    `state` LowCardinality(String) COMMENT 'delivered, rejected, failed or skipped-stale',
    `attempts` UInt32 COMMENT 'Tries so far',
    `status` Nullable(UInt16) COMMENT 'HTTP status of the last try, null when there was no answer',
    `detail` String COMMENT 'What the receiver or the network said, one sentence',
    `at` DateTime64(3, 'UTC') COMMENT 'When, UTC',
    `stored_at` DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored, UTC'
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (decision_id, target)
COMMENT 'Deliveries of decisions; read the view receipts';
