-- What people said and did about incidents. The audit is where it is written; this is the same by incident. Read the view `case_notes`.
CREATE TABLE IF NOT EXISTS {{database}}.case_notes_v1
(
    `incident_id` String COMMENT 'Incident that it is about',
    `at` DateTime64(3, 'UTC') COMMENT 'When, UTC',
    `note_id` String COMMENT 'Id of the entry in the audit',
    `who` LowCardinality(String) COMMENT 'Name of the key, or local where none is asked for',
    `kind` LowCardinality(String) COMMENT 'comment, assign, close or reopen',
    `text` String COMMENT 'The comment, the reason, or to whom it was assigned (empty: to nobody)' CODEC(ZSTD(1)),
    `findings` UInt32 COMMENT 'Findings that the incident had when it was closed: one more opens it again'
)
ENGINE = ReplacingMergeTree
ORDER BY (incident_id, at, note_id)
COMMENT 'Comments on incidents, and who took and closed them; read the view case_notes';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.case_notes_v1_mv TO {{database}}.case_notes_v1 AS
SELECT
    about AS incident_id,
    at,
    audit_id AS note_id,
    who,
    substring(action, 6) AS kind,
    JSONExtractString(detail, 'text') AS text,
    toUInt32(JSONExtractUInt(detail, 'findings')) AS findings
FROM {{database}}.audit_raw_v1
WHERE startsWith(action, 'case.');

CREATE VIEW IF NOT EXISTS {{database}}.case_notes AS
SELECT * FROM {{database}}.case_notes_v1 FINAL
COMMENT 'Comments on incidents, and who took and closed them';

CREATE VIEW IF NOT EXISTS {{database}}.incidents AS
SELECT
    f.incident_id AS incident_id,
    multiIf(n.last_change = 'reopen', 'open', n.last_change = 'close' AND f.finding_count <= n.closed_findings, 'closed', f.open_count > 0, 'open', 'closed') AS state,
    ['low', 'medium', 'high', 'critical'][f.severity_rank] AS severity,
    f.title AS title,
    f.tenant AS tenant,
    f.identities AS identities,
    f.identity_count AS identity_count,
    f.kinds AS kinds,
    f.finding_count AS finding_count,
    f.open_count AS open_count,
    f.first_seen AS first_seen,
    f.last_seen AS last_seen,
    f.risk AS risk,
    n.assignee AS assignee
FROM
(
    SELECT
        r.incident_id AS incident_id,
        max(indexOf(['low', 'medium', 'high', 'critical'], r.severity)) AS severity_rank,
        argMax(r.title, (r.state = 'open', indexOf(['low', 'medium', 'high', 'critical'], r.severity), r.last_seen)) AS title,
        any(r.tenant) AS tenant,
        arraySort(groupUniqArray(20)(r.identity)) AS identities,
        uniqExact(r.identity) AS identity_count,
        arraySort(groupUniqArray(r.kind)) AS kinds,
        count() AS finding_count,
        countIf(r.state = 'open') AS open_count,
        min(r.first_seen) AS first_seen,
        max(r.last_seen) AS last_seen,
        max(r.risk) AS risk
    FROM {{database}}.findings_raw_v1 AS r FINAL
    GROUP BY r.incident_id
) AS f
LEFT JOIN
(
    SELECT
        c.incident_id AS incident_id,
        argMaxIf(c.text, (c.at, c.note_id), c.kind = 'assign') AS assignee,
        argMaxIf(toString(c.kind), (c.at, c.note_id), c.kind IN ('close', 'reopen')) AS last_change,
        argMaxIf(c.findings, (c.at, c.note_id), c.kind = 'close') AS closed_findings
    FROM {{database}}.case_notes_v1 AS c FINAL
    GROUP BY c.incident_id
) AS n ON n.incident_id = f.incident_id
COMMENT 'Findings of one story, as one row: how far it has come, how severe it is, whose it is';
