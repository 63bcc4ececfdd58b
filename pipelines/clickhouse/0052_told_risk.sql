-- A finding that was told without a call of its identity (its maker is suspect) raises the risk at once, not with the next call. Whatever a call raises is in the events.
ALTER TABLE {{database}}.findings_raw_v1 ADD COLUMN IF NOT EXISTS `told_at` DateTime64(3, 'UTC') COMMENT 'Event time of the risk, when no call of the identity raised it; 1970 otherwise' AFTER `risk`;

-- A view has the columns that its table had when it was made.
CREATE OR REPLACE VIEW {{database}}.findings AS
SELECT * FROM {{database}}.findings_raw_v1 FINAL
COMMENT 'Findings in their newest version';

ALTER TABLE {{database}}.identities_raw_v1 ADD COLUMN IF NOT EXISTS `told_at` SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Time of the newest finding that was told without a call, UTC; 1970 if there is none';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.identities_told_v1_mv TO {{database}}.identities_raw_v1 AS
SELECT
    identity,
    anyLast(f.identity_kind) AS identity_kind,
    anyLast(f.tenant) AS tenant,
    min(f.first_seen) AS first_seen,
    max(f.last_seen) AS last_seen,
    toFloat64(0) AS events,
    toFloat64(0) AS errors,
    toFloat32(0) AS surprise_max,
    max(risk) AS risk_max,
    argMaxState(risk, f.told_at) AS risk_state,
    max(f.told_at) AS told_at
FROM {{database}}.findings_raw_v1 AS f
WHERE state = 'open' AND f.told_at > f.last_seen
GROUP BY identity;

CREATE OR REPLACE VIEW {{database}}.identities AS
SELECT
    identity,
    anyLast(i.identity_kind) AS identity_kind,
    anyLast(i.tenant) AS tenant,
    min(i.first_seen) AS first_seen,
    max(i.last_seen) AS last_seen,
    sum(i.events) AS events,
    sum(i.errors) AS errors,
    max(i.surprise_max) AS surprise_max,
    max(i.risk_max) AS risk_max,
    argMaxMerge(i.risk_state) AS risk,
    greatest(max(i.last_seen), max(i.told_at)) AS risk_at
FROM {{database}}.identities_raw_v1 AS i
GROUP BY identity
COMMENT 'Every identity: when first and last seen, how much, how risky';
