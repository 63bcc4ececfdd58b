-- The steps of a decision beside each other, one row per point. Of what was sent and of the effect the newest counts: a gateway that came back stops what it let through before.
CREATE OR REPLACE VIEW {{database}}.decision_points AS
SELECT
    decision_id,
    target AS point,
    argMaxIf(state, r.at, state IN ('delivered', 'rejected', 'failed', 'skipped-stale')) AS sent,
    maxOrNullIf(r.at, state IN ('delivered', 'rejected', 'failed', 'skipped-stale')) AS sent_at,
    maxOrNullIf(r.at, state = 'seen') AS seen_at,
    maxOrNullIf(r.at, state = 'acknowledged') AS acknowledged_at,
    argMaxIf(state, r.at, state IN ('effective', 'ineffective', 'unseen')) AS effect,
    maxOrNullIf(r.at, state IN ('effective', 'ineffective', 'unseen')) AS effect_at,
    argMax(detail, (r.at, state IN ('effective', 'ineffective', 'unseen'))) AS detail,
    max(r.at) AS at
FROM {{database}}.receipts_raw_v2 AS r FINAL
GROUP BY decision_id, target
COMMENT 'How far each decision came at each enforcement point and receiver, one row per point';
