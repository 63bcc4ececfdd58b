import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { severities } from '../../src/finding/finding.ts';
import { addEvidence, calmRisk, confirm, levelAt, riskAt, unconfirm } from '../../src/policy/risk.ts';
import { aFinding, hour, minute, policyOf, start } from './a-finding.ts';

const settings = policyOf('rules: []').risk;

test('the worked example of the formula holds', () => {
  const state = calmRisk(start);
  addEvidence(state, { finding: aFinding({ confidence: 0.9 }), at: start }, settings);
  assert.equal(riskAt(state, start, settings), 54);
  addEvidence(state, { finding: aFinding({ finding_id: 'fnd_2', confidence: 0.9 }), at: start }, settings);
  assert.equal(riskAt(state, start, settings), 78.8);
  assert.equal(riskAt(state, start + 6 * hour, settings), 39.4);
});

test('a thousand updates of one finding hold the risk where one put it', () => {
  const state = calmRisk(start);
  for (let i = 0; i < 1000; i++) addEvidence(state, { finding: aFinding(), at: start + i * minute }, settings);
  assert.equal(riskAt(state, start + 999 * minute, settings), 60);
});

test('a finding that becomes more severe counts only by what it gained', () => {
  const state = calmRisk(start);
  addEvidence(state, { finding: aFinding({ severity: 'medium' }), at: start }, settings);
  addEvidence(state, { finding: aFinding({ severity: 'critical' }), at: start }, settings);
  assert.equal(riskAt(state, start, settings), 90);
});

test('a level falls only after its dwell and below its lower threshold, and rises at once', () => {
  const state = calmRisk(start);
  const short = { ...settings, halfLife: minute };
  addEvidence(state, { finding: aFinding({ severity: 'critical' }), at: start }, short);
  assert.equal(levelAt(state, start, short), 'HIGH');
  assert.equal(levelAt(state, start + 9 * minute, short), 'HIGH', 'the dwell has not passed');
  assert.equal(levelAt(state, start + 10 * minute, short), 'LOW');
  const slow = calmRisk(start);
  addEvidence(slow, { finding: aFinding({ severity: 'critical' }), at: start }, settings);
  assert.equal(levelAt(slow, start + 3 * hour, settings), 'HIGH', '63.6 is below enter and above leave');
  assert.equal(levelAt(slow, start + 6 * hour, settings), 'MEDIUM');
  assert.equal(levelAt(slow, start + 12 * hour, settings), 'LOW');
});

test('risk stays within 0 and 100, never grows by waiting, and never exceeds its findings taken together', () => {
  const step = fc.record({
    finding: fc.integer({ min: 1, max: 6 }),
    severity: fc.constantFrom(...severities),
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    afterMs: fc.integer({ min: -minute, max: 12 * hour }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const state = calmRisk(start);
      const highest = new Map<string, number>();
      let at = start;
      for (const { finding, severity, confidence, afterMs } of steps) {
        at += afterMs;
        const id = `fnd_${finding}`;
        addEvidence(state, { finding: aFinding({ finding_id: id, severity, confidence }), at }, settings);
        highest.set(id, Math.max(highest.get(id) ?? 0, settings.weights[severity] * confidence));
        const together = 100 * (1 - [...highest.values()].reduce((rest, weight) => rest * (1 - weight), 1));
        const risk = riskAt(state, at, settings);
        assert.ok(risk >= 0 && risk <= 100 && risk <= together + 0.1, `${risk} of at most ${together}`);
        assert.ok(riskAt(state, at + hour, settings) <= risk);
      }
    }),
    { verbose: 1 },
  );
});

test('a verdict that a finding was right raises the risk that there is without any, halved in 30 days, and undone it is gone', () => {
  const state = calmRisk(start);
  const day = 24 * hour;
  confirm(state, { verdict: 'vdt_1', at: start }, settings);
  assert.equal(riskAt(state, start, settings), 15);
  assert.equal(riskAt(state, start + 30 * day, settings), 7.5);
  addEvidence(state, { finding: aFinding(), at: start }, settings);
  assert.equal(riskAt(state, start, settings), 66, '60 without it');
  unconfirm(state, 'vdt_1');
  assert.equal(riskAt(state, start, settings), 60);
});

test('however many verdicts, they neither raise a level by themselves nor keep one', () => {
  const state = calmRisk(start);
  for (let i = 0; i < 100; i++) confirm(state, { verdict: `vdt_${i}`, at: start }, settings);
  assert.equal(riskAt(state, start, settings), 24);
  assert.equal(levelAt(state, start, settings), 'LOW');
  addEvidence(state, { finding: aFinding(), at: start }, settings);
  assert.notEqual(levelAt(state, start, settings), 'LOW');
  assert.equal(levelAt(state, start + 20 * 24 * hour, settings), 'LOW');
  const low = policyOf('rules: []\nrisk: { medium: { enter: 12, leave: 10 }, prior: { max: 0.9 } }').risk;
  assert.equal(riskAt(state, start + 30 * 24 * hour, low), 9);
});
