-- A version that ends a decision says what has ended; that its time is over is a version of an enforced one.
ALTER TABLE {{database}}.decisions_raw_v1 ADD COLUMN IF NOT EXISTS `ended` LowCardinality(String) COMMENT 'With action restore what has ended, else empty',
    COMMENT COLUMN IF EXISTS `change` 'What this version did: made, extended, escalated, narrowed, answered, restored or expired';

CREATE OR REPLACE VIEW {{database}}.decisions AS
SELECT * FROM {{database}}.decisions_raw_v1 FINAL
COMMENT 'Decisions in their newest version'
