-- A decision has versions now, says whom of the identity's sessions it means, and carries what an enforcement point needs.
ALTER TABLE {{database}}.decisions_raw_v1 ADD COLUMN IF NOT EXISTS `change` LowCardinality(String) DEFAULT 'made' COMMENT 'What this version did: made, extended, escalated, narrowed or restored',
    ADD COLUMN IF NOT EXISTS `scope` LowCardinality(String) DEFAULT 'identity' COMMENT 'identity, or session: about session_id only',
    ADD COLUMN IF NOT EXISTS `by` LowCardinality(String) DEFAULT 'policy' COMMENT 'policy, or the name of the key or issuer behind this version',
    ADD COLUMN IF NOT EXISTS `session_risk` Nullable(Float32) COMMENT 'Risk of the session of the odd call, 0 to 100',
    ADD COLUMN IF NOT EXISTS `token_id` String COMMENT 'Token (jti) of the odd call, empty when unknown',
    ADD COLUMN IF NOT EXISTS `client_ip` String COMMENT 'Address of the odd call, empty when unknown',
    ADD COLUMN IF NOT EXISTS `acr_values` Array(String) COMMENT 'What a step-up asks for, the preferred first',
    ADD COLUMN IF NOT EXISTS `max_age` Nullable(UInt32) COMMENT 'Seconds since the authentication that a step-up accepts',
    ADD COLUMN IF NOT EXISTS `issued_before` Nullable(DateTime64(3, 'UTC')) COMMENT 'Tokens issued from then on are not meant, UTC',
    ADD COLUMN IF NOT EXISTS `updated_at` DateTime64(3, 'UTC') DEFAULT made_at COMMENT 'Event time of this version, UTC',
    COMMENT COLUMN IF EXISTS `session_id` 'Session of the odd call, empty when unknown; see scope';

CREATE OR REPLACE VIEW {{database}}.decisions AS
SELECT * FROM {{database}}.decisions_raw_v1 FINAL
COMMENT 'Decisions in their newest version';
