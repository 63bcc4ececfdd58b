import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstSeq, lastSeq, sampledLine, splitLines } from '../../src/store/score-lines.ts';
import { scoreLine } from './score-lines-of.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('","seq":9,"surprise":99,"findings":["x"],"a":"', '"event_id":"x"'),
);

test('sequence numbers are read whatever callers wrote into the other fields', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ path: text, seq: fc.nat(), class: text }), { minLength: 1 }), (events) => {
      const lines = events.map(({ path, seq, class: name }) =>
        scoreLine(seq, { path, user_agent: path, sensitive: { [name]: 7, seq: 3, surprise: 50 } }),
      );
      const bytes = Buffer.from(`${lines.join('\n')}\n`);
      assert.deepEqual(
        splitLines(bytes).map((line) => line.toString()),
        lines,
      );
      assert.equal(firstSeq(bytes), events[0]!.seq);
      assert.equal(lastSeq(bytes), events.at(-1)!.seq);
    }),
    { verbose: true },
  );
});

test('a line without a sequence number has none, and empty lines are no lines', () => {
  assert.ok(Number.isNaN(lastSeq(Buffer.from('{"x":1}'))));
  assert.ok(Number.isNaN(firstSeq(Buffer.from('\n{"seq":1}'))));
  assert.deepEqual(splitLines(Buffer.from('\n\n')), []);
});

test('what a caller writes cannot force a line into the sample nor give it a weight', () => {
  fc.assert(
    fc.property(text, fc.nat(), (path, seq) => {
      const line = Buffer.from(scoreLine(seq, { path, sensitive: { surprise: 50 } }));
      const plain = sampledLine(Buffer.from(scoreLine(seq)), 0.5);
      const kept = sampledLine(line, 0.5);
      assert.equal(kept === undefined, plain === undefined);
      if (kept !== undefined) {
        const { sample_weight, ...row } = JSON.parse(kept.toString());
        assert.equal(sample_weight, 2);
        assert.deepEqual(row, JSON.parse(line.toString()));
      }
    }),
    { verbose: true },
  );
});
