-- What analysts read: readable names, repeats and old versions already gone.
CREATE VIEW IF NOT EXISTS {{database}}.events AS
SELECT * FROM {{database}}.events_raw_v1 FINAL
COMMENT 'Scored API calls, one row each';

CREATE VIEW IF NOT EXISTS {{database}}.findings AS
SELECT * FROM {{database}}.findings_raw_v1 FINAL
COMMENT 'Findings in their newest version';

CREATE VIEW IF NOT EXISTS {{database}}.decisions AS
SELECT * FROM {{database}}.decisions_raw_v1 FINAL
COMMENT 'Decisions in their newest version';

CREATE VIEW IF NOT EXISTS {{database}}.receipts AS
SELECT * FROM {{database}}.receipts_raw_v1 FINAL
COMMENT 'The newest receipt of each decision and receiver';

CREATE VIEW IF NOT EXISTS {{database}}.dead_letters AS
SELECT * FROM {{database}}.dead_letters_raw_v1 FINAL
COMMENT 'Records that could not become events';

CREATE VIEW IF NOT EXISTS {{database}}.identities AS
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
    argMaxMerge(i.risk_state) AS risk
FROM {{database}}.identities_raw_v1 AS i
GROUP BY identity
COMMENT 'Every identity: when first and last seen, how much, how risky';

CREATE VIEW IF NOT EXISTS {{database}}.events_per_minute AS
SELECT
    minute,
    tenant,
    host,
    route,
    status_class,
    sum(r.events) AS events,
    sum(r.surprising) AS surprising,
    sum(r.response_bytes) AS response_bytes
FROM {{database}}.routes_per_minute_v1 AS r
GROUP BY minute, tenant, host, route, status_class
COMMENT 'Events by minute, route and status class';

CREATE VIEW IF NOT EXISTS {{database}}.latency_per_minute AS
SELECT
    minute,
    tenant,
    host,
    route,
    quantilesTDigestMerge(0.5, 0.95, 0.99)(r.duration_state) AS quantiles,
    quantiles[1] AS p50_ms,
    quantiles[2] AS p95_ms,
    quantiles[3] AS p99_ms
FROM {{database}}.routes_per_minute_v1 AS r
GROUP BY minute, tenant, host, route
COMMENT 'Durations by minute and route, milliseconds';

CREATE VIEW IF NOT EXISTS {{database}}.identities_per_minute AS
SELECT
    identity,
    minute,
    sum(i.events) AS events,
    sum(i.errors) AS errors,
    max(i.surprise_max) AS surprise_max,
    max(i.risk_max) AS risk_max
FROM {{database}}.identities_per_minute_v1 AS i
GROUP BY identity, minute
COMMENT 'Volume, errors, surprise and risk of each identity by minute';

CREATE VIEW IF NOT EXISTS {{database}}.dead_letters_per_minute AS
SELECT minute, source, reason, uniqMerge(ids_state) AS records
FROM {{database}}.dead_letters_per_minute_v1
GROUP BY minute, source, reason
COMMENT 'Refused records by minute and reason';

CREATE VIEW IF NOT EXISTS {{database}}.findings_per_minute AS
SELECT minute, tenant, kind, uniqMerge(ids_state) AS findings
FROM {{database}}.findings_per_minute_v1
GROUP BY minute, tenant, kind
COMMENT 'Findings by the minute of their first event and by kind';
