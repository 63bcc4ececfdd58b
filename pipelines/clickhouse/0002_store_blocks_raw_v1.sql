-- Written just before a block of events is inserted, so that a writer that takes over repeats exactly that block, which ClickHouse then knows by its token.
CREATE TABLE IF NOT EXISTS {{database}}.store_blocks_raw_v1
(
    `stream` LowCardinality(String) COMMENT 'Name of the pipeline whose sequence numbers these are',
    `shard` UInt32 COMMENT 'Shard',
    `first_seq` UInt64 COMMENT 'First sequence number of the block',
    `last_seq` UInt64 COMMENT 'Last sequence number of the block',
    `attempted_at` DateTime64(6, 'UTC') DEFAULT now64(6) COMMENT 'When the block was about to be inserted, UTC; the newest wins'
)
ENGINE = ReplacingMergeTree(attempted_at)
ORDER BY (stream, shard)
COMMENT 'Bookkeeping of the writer: the newest block of events of each shard';
