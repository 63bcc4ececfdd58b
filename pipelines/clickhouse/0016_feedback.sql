-- What people say of findings (verdicts) and what is not to be told (suppressions), and what a finding rests on.
ALTER TABLE {{database}}.findings_raw_v1 ADD COLUMN IF NOT EXISTS `suppressed_by` String COMMENT 'Suppression or verdict behind the state suppressed, empty otherwise',
    ADD COLUMN IF NOT EXISTS `cause` String COMMENT 'All that the claim rests on: JSON object by feature, {nats, values}' CODEC(ZSTD(3)),
    COMMENT COLUMN IF EXISTS `state` 'open, closed, or suppressed: stored and counted, but nobody is told and nothing is done';

CREATE OR REPLACE VIEW {{database}}.findings AS
SELECT * FROM {{database}}.findings_raw_v1 FINAL
COMMENT 'Findings in their newest version';

CREATE TABLE IF NOT EXISTS {{database}}.verdicts_raw_v1
(
    `verdict_id` String COMMENT 'Id of the verdict',
    `finding_id` String COMMENT 'Of which finding',
    `identity` String COMMENT 'Whom the finding is about: kind:tenant:id',
    `kind` LowCardinality(String) COMMENT 'Kind of the finding, empty when it was not open any more',
    `verdict` LowCardinality(String) COMMENT 'false-positive, true-positive, benign, test, ...',
    `ocsf_id` UInt8 COMMENT 'The same as verdict_id of OCSF',
    `by` LowCardinality(String) COMMENT 'Who said it: the name of the key, or slack:user',
    `note` String COMMENT 'Why, in the words of whoever said it',
    `at` DateTime64(3, 'UTC') COMMENT 'When, UTC',
    `suppression_id` String COMMENT 'What it taught, empty when nothing',
    `closes` UInt32 COMMENT 'Open findings that it closed, its own included',
    `state` LowCardinality(String) COMMENT 'given, or undone',
    `version` UInt64 COMMENT 'The highest wins',
    `stored_at` DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored, UTC'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY verdict_id
COMMENT 'Verdicts on findings; read the view verdicts';

CREATE VIEW IF NOT EXISTS {{database}}.verdicts AS
SELECT * FROM {{database}}.verdicts_raw_v1 FINAL
COMMENT 'Verdicts on findings in their newest version';

CREATE TABLE IF NOT EXISTS {{database}}.suppressions_raw_v1
(
    `suppression_id` String COMMENT 'Id of the suppression',
    `verdict_id` String COMMENT 'The verdict that taught it, empty when a person wrote it',
    `identity` String COMMENT 'Of whom: a key with * for any characters, empty for everybody',
    `peer_group` String COMMENT 'Of which peer group: tenant|actor kind|roles or client application, empty for all',
    `route` String COMMENT 'Of which calls: a route with * for any characters, empty for all',
    `network` String COMMENT 'From where: an address or a network, empty for anywhere',
    `kinds` Array(LowCardinality(String)) COMMENT 'Kinds of finding, empty for all',
    `cause` String COMMENT 'All that is expected, as in findings; empty for whatever the kinds rest on' CODEC(ZSTD(3)),
    `owner` LowCardinality(String) COMMENT 'Who answers for it',
    `reason` String COMMENT 'Why',
    `until` DateTime64(3, 'UTC') COMMENT 'Event time from which it holds no more, UTC',
    `made_by` LowCardinality(String) COMMENT 'Name of the key that made it, or took it back',
    `made_at` DateTime64(3, 'UTC') COMMENT 'When, UTC',
    `state` LowCardinality(String) COMMENT 'active, or lifted; one whose time is over stays active',
    `version` UInt64 COMMENT 'The highest wins',
    `stored_at` DateTime('UTC') DEFAULT now() COMMENT 'When the row was stored, UTC'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY suppression_id
COMMENT 'What is not to be told; read the view suppressions';

CREATE VIEW IF NOT EXISTS {{database}}.suppressions AS
SELECT * FROM {{database}}.suppressions_raw_v1 FINAL
COMMENT 'What is not to be told, in the newest version';
