-- Copies of the events that findings name as examples (at most ten each), because findings are kept for longer than events. Read the view `evidence`.
CREATE TABLE IF NOT EXISTS {{database}}.evidence_raw_v1 AS {{database}}.events_raw_v1
ENGINE = ReplacingMergeTree
ORDER BY (identity, ts, shard, seq)
COMMENT 'Events that findings name as examples, kept with them; read the view evidence';

CREATE VIEW IF NOT EXISTS {{database}}.evidence AS
SELECT * FROM {{database}}.evidence_raw_v1 FINAL
COMMENT 'Events that findings name as examples, kept for as long as the findings';
