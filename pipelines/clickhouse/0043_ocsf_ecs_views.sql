-- Findings in the words of the Open Cybersecurity Schema Framework 1.5 (class 2004, Detection Finding): `SELECT * FROM ocsf_findings FORMAT JSONEachRow` gives its records; what is empty there says nothing and may be left out.
CREATE OR REPLACE VIEW {{database}}.ocsf_findings AS
SELECT
    CAST(multiIf(f.state = 'closed', 3, f.count > 1, 2, 1) AS UInt8) AS activity_id,
    ['Create', 'Update', 'Close'][activity_id] AS activity_name,
    2 AS category_uid,
    'Findings' AS category_name,
    2004 AS class_uid,
    'Detection Finding' AS class_name,
    toUInt32(200400 + activity_id) AS type_uid,
    concat('Detection Finding: ', activity_name) AS type_name,
    toUnixTimestamp64Milli(f.last_seen) AS time,
    toUnixTimestamp64Milli(f.first_seen) AS start_time,
    toUnixTimestamp64Milli(f.last_seen) AS end_time,
    f.count AS count,
    f.title AS message,
    toUInt8(indexOf(['low', 'medium', 'high', 'critical'], f.severity) + 1) AS severity_id,
    ['Informational', 'Low', 'Medium', 'High', 'Critical'][severity_id] AS severity,
    toUInt8(multiIf(f.state = 'open', 1, f.state = 'suppressed', 3, 4)) AS status_id,
    ['New', 'In Progress', 'Suppressed', 'Resolved'][status_id] AS status,
    CAST(f.state = 'open' AS Bool) AS is_alert,
    toUInt8(round(f.confidence * 100)) AS confidence_score,
    toUInt8(round(f.risk)) AS risk_score,
    CAST(('1.5.0', ('Gait', 'Gait'), f.finding_id, nullIf(f.tenant, ''), f.kind, f.incident_id)
        AS Tuple(version String, product Tuple(name String, vendor_name String), uid String, tenant_uid Nullable(String), event_code String, correlation_uid String)) AS metadata,
    CAST((
        f.finding_id,
        f.title,
        [f.kind],
        toUnixTimestamp64Milli(f.first_seen),
        toUnixTimestamp64Milli(f.first_seen),
        toUnixTimestamp64Milli(f.last_seen),
        toUnixTimestamp64Milli(f.last_seen),
        (f.kind, f.kind, 'Behavioral', 2),
        arrayMap(id -> ((splitByChar('.', id)[1] AS technique, transform(technique,
            ['T1078', 'T1098', 'T1110', 'T1119', 'T1136', 'T1485', 'T1499', 'T1526', 'T1530', 'T1531', 'T1539', 'T1550', 'T1567', 'T1585', 'T1595'],
            ['Valid Accounts', 'Account Manipulation', 'Brute Force', 'Automated Collection', 'Create Account', 'Data Destruction', 'Endpoint Denial of Service', 'Cloud Service Discovery', 'Data from Cloud Storage', 'Account Access Removal', 'Steal Web Session Cookie', 'Use Alternate Authentication Material', 'Exfiltration Over Web Service', 'Establish Accounts', 'Active Scanning'],
            technique)), tuple(if(position(id, '.') > 0, id, ''))), CAST(f.attack AS Array(String))),
        f.count
    ) AS Tuple(uid String, title String, types Array(String), created_time Int64, first_seen_time Int64, last_seen_time Int64, modified_time Int64,
        analytic Tuple(name String, uid String, type String, type_id UInt8),
        attacks Array(Tuple(technique Tuple(uid String, name String), sub_technique Tuple(uid String))), related_events_count UInt64)) AS finding_info,
    CAST([([(f.identity, f.identity_kind)], arrayMap(r -> (
            JSONExtractString(r, 'feature'),
            splitByChar('.', JSONExtractString(r, 'feature'))[1],
            [tuple(if(JSONType(r, 'observed') = 'String', JSONExtractString(r, 'observed'), JSONExtractRaw(r, 'observed')))],
            JSONExtractString(r, 'text')
        ), JSONExtractArrayRaw(f.reasons)), arrayMap(r -> (
            JSONExtractString(r, 'feature'),
            splitByChar('.', JSONExtractString(r, 'feature'))[1],
            [(if(JSONType(r, 'expected') = 'String', JSONExtractString(r, 'expected'), JSONExtractRaw(r, 'expected')), JSONExtractUInt(r, 'sample_size'))],
            JSONExtractString(r, 'level')
        ), JSONExtractArrayRaw(f.reasons)))]
        AS Array(Tuple(analysis_targets Array(Tuple(name String, type String)),
            anomalies Array(Tuple(observation_parameter String, observation_type String, observations Array(Tuple(value String)), observed_pattern String)),
            baselines Array(Tuple(observation_parameter String, observation_type String, observations Array(Tuple(value String, count UInt64)), observed_pattern String))))) AS anomaly_analyses,
    CAST(e.evidences AS Array(Tuple(uid String, actor Tuple(user Tuple(uid String, type String, type_id UInt8), session Tuple(uid Nullable(String))),
        api Tuple(operation String), http_request Tuple(http_method String, user_agent Nullable(String), url Tuple(hostname Nullable(String), path String)),
        http_response Tuple(code UInt16), src_endpoint Tuple(ip Nullable(String), uid Nullable(String), location Tuple(country Nullable(String)), autonomous_system Tuple(number Nullable(UInt32)))))) AS evidences,
    CAST([(f.identity, f.identity_kind)] AS Array(Tuple(uid String, type String))) AS resources
FROM {{database}}.findings_raw_v1 AS f FINAL
LEFT JOIN
(
    SELECT
        n.finding_id AS finding_id,
        groupArray(10)((c.event_id, ((c.identity, c.identity_kind, 99), tuple(nullIf(c.session_id, ''))), tuple(concat(c.method, ' ', if(c.operation = '', c.route, c.operation))),
            (c.method, nullIf(c.user_agent, ''), (nullIf(c.host, ''), c.path)), tuple(c.status),
            (nullIf(c.client_ip, ''), nullIf(c.device_id, ''), tuple(nullIf(c.country, '')), tuple(nullIf(c.asn, 0))))) AS evidences
    FROM (SELECT finding_id, identity, arrayJoin(event_ids) AS event_id FROM {{database}}.findings_raw_v1 FINAL) AS n
    INNER JOIN (SELECT * FROM {{database}}.evidence_raw_v1 FINAL) AS c ON c.identity = n.identity AND c.event_id = n.event_id
    GROUP BY n.finding_id
) AS e ON e.finding_id = f.finding_id
COMMENT 'Findings as OCSF 1.5 Detection Findings (2004), one record each';

-- Findings and calls in the words of the Elastic Common Schema 8.
CREATE OR REPLACE VIEW {{database}}.ecs_findings AS
SELECT
    f.last_seen AS `@timestamp`,
    f.title AS message,
    CAST(tuple('8.17') AS Tuple(version String)) AS ecs,
    CAST(('alert', ['intrusion_detection'], ['info'], 'gait', 'gait.finding', f.kind, f.finding_id, formatDateTime(f.first_seen, '%Y-%m-%dT%H:%i:%S.%fZ'), formatDateTime(f.last_seen, '%Y-%m-%dT%H:%i:%S.%fZ'),
        toUInt8([21, 47, 73, 99][indexOf(['low', 'medium', 'high', 'critical'], f.severity)]), round(f.risk, 2))
        AS Tuple(kind String, category Array(String), type Array(String), module String, dataset String, action String, id String,
            start String, end String, severity UInt8, risk_score Float64)) AS event,
    CAST((f.kind, f.kind, 'behavioral') AS Tuple(id String, name String, category String)) AS rule,
    CAST(('MITRE ATT&CK', tuple(f.attack)) AS Tuple(framework String, technique Tuple(id Array(String)))) AS threat,
    CAST((f.identity, f.identity_kind) AS Tuple(id String, domain String)) AS user,
    CAST(tuple(nullIf(f.tenant, '')) AS Tuple(id Nullable(String))) AS organization,
    CAST((f.incident_id, f.state, f.severity, f.count, f.surprise, f.confidence)
        AS Tuple(incident_id String, state String, severity String, count UInt64, surprise Float32, confidence Float32)) AS gait
FROM {{database}}.findings_raw_v1 AS f FINAL
COMMENT 'Findings as alerts of the Elastic Common Schema 8';

CREATE OR REPLACE VIEW {{database}}.ecs_events AS
SELECT
    e.ts AS `@timestamp`,
    CAST(tuple('8.17') AS Tuple(version String)) AS ecs,
    CAST(('event', ['web', 'api'], ['access'], 'gait', 'gait.event', if(e.operation = '', concat(e.method, ' ', e.route), e.operation), e.event_id,
        multiIf(e.status = 0, 'unknown', e.status < 400, 'success', 'failure'), toInt64OrNull(toString(round(e.duration_ms * 1000000))), round(e.risk, 2))
        AS Tuple(kind String, category Array(String), type Array(String), module String, dataset String, action String, id String, outcome String, duration Nullable(Int64), risk_score Float64)) AS event,
    CAST((e.identity, e.identity_kind, nullIf(e.subject, '')) AS Tuple(id String, domain String, name Nullable(String))) AS user,
    CAST((nullIf(e.client_ip, ''), tuple(nullIf(e.asn, 0)), tuple(nullIf(e.country, ''))) AS Tuple(ip Nullable(String), `as` Tuple(number Nullable(UInt32)), geo Tuple(country_iso_code Nullable(String)))) AS source,
    CAST(tuple(nullIf(e.user_agent, '')) AS Tuple(original Nullable(String))) AS user_agent,
    CAST(((nullIf(e.method, ''), e.request_bytes), (nullIf(e.status, 0), e.response_bytes))
        AS Tuple(request Tuple(method Nullable(String), bytes Nullable(UInt64)), response Tuple(status_code Nullable(UInt16), bytes Nullable(UInt64)))) AS http,
    CAST((nullIf(e.host, ''), e.path) AS Tuple(domain Nullable(String), path String)) AS url,
    CAST(tuple(nullIf(e.trace_id, '')) AS Tuple(id Nullable(String))) AS trace,
    CAST(tuple(nullIf(e.tenant, '')) AS Tuple(id Nullable(String))) AS organization,
    CAST((e.route, e.surprise, e.evidence, e.top, e.findings)
        AS Tuple(route String, surprise Float32, evidence Float32, top Array(String), findings Array(String))) AS gait
FROM {{database}}.events_raw_v1 AS e FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Calls as events of the Elastic Common Schema 8';
