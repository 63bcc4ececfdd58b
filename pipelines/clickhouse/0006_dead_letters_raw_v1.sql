-- Records that could not become events, and lines that this store refused. Never the record itself: it may hold secrets.
-- Kept for {{dead_letter_ttl_days}} days after storing.
CREATE TABLE IF NOT EXISTS {{database}}.dead_letters_raw_v1
(
    `id` String COMMENT 'Derived from the position, so a repeat writes the same id',
    `at` DateTime64(3, 'UTC') COMMENT 'When the record was refused, UTC',
    `reason` LowCardinality(String) COMMENT 'Why, from a closed list',
    `cause` String COMMENT 'What was wrong, one sentence',
    `source` LowCardinality(String) COMMENT 'Topic or file that held the record',
    `partition` UInt32 COMMENT 'Partition',
    `offset` UInt64 COMMENT 'Offset of the record, or line of the file',
    `index` UInt32 COMMENT 'Position inside the record, for records that hold several events',
    `bytes` UInt64 COMMENT 'Size of the record, bytes',
    `digest` String COMMENT 'Keyed HMAC of the bytes, to find equal records',
    `sample` String COMMENT 'Beginning of the record, masked',
    `stored_at` DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored, UTC; retention counts from here'
)
ENGINE = ReplacingMergeTree
ORDER BY id
TTL stored_at + INTERVAL {{dead_letter_ttl_days}} DAY
COMMENT 'Refused records; read the view dead_letters';
