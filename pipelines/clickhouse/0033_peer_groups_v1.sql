-- How many identities each peer group has. The name is made as in src/identity/peer-group.ts.
CREATE TABLE IF NOT EXISTS {{database}}.peer_groups_v1
(
    `peer_group` String COMMENT 'tenant|actor kind|roles or client application',
    `identities_state` AggregateFunction(uniq, String) COMMENT 'Identities seen in it: exact up to 65,536, within 1 % beyond'
)
ENGINE = AggregatingMergeTree
ORDER BY peer_group
COMMENT 'Read the view peer_groups';

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.peer_groups_v1_mv TO {{database}}.peer_groups_v1 AS
SELECT
    concat(
        if(tenant = '', '-', replaceAll(substringUTF8(tenant, 1, 80), '|', '/')),
        '|',
        multiIf(actor_kind != '', toString(actor_kind), identity_kind = 'user', 'human', identity_kind IN ('mtls', 'api-key', 'client', 'consumer'), 'service', 'unknown'),
        '|',
        multiIf(
            notEmpty(roles), replaceAll(substringUTF8(arrayStringConcat(arraySort(roles), ','), 1, 80), '|', '/'),
            identity_kind != 'client' AND client_id != '', replaceAll(substringUTF8(client_id, 1, 80), '|', '/'),
            '-'
        )
    ) AS peer_group,
    uniqState(identity) AS identities_state
FROM {{database}}.events_raw_v1
GROUP BY peer_group;

CREATE VIEW IF NOT EXISTS {{database}}.peer_groups AS
SELECT peer_group, uniqMerge(identities_state) AS identities
FROM {{database}}.peer_groups_v1
GROUP BY peer_group
COMMENT 'Peer groups and how many identities were seen in each';
