import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import { checkResponse } from '../../src/http/check-response.ts';
import type { EnforcementAnswer } from '../../src/http/parts.ts';

const proto = join(import.meta.dirname, '../../../pipelines/enforce/ext-authz.proto');
const { Check } = loadSync(proto, { keepCase: true, oneofs: true })[
  'envoy.service.auth.v3.Authorization'
] as ServiceDefinition;

const text = fc.string({ unit: 'binary', maxLength: 300 });
const answers: fc.Arbitrary<EnforcementAnswer> = fc.record({
  status: fc.constantFrom(200, 401, 403, 429, 503),
  headers: fc.dictionary(fc.constantFrom('x-gait-verdict', 'x-gait-decision', 'x-gait-risk', 'www-authenticate'), text),
  decisionId: fc.option(text),
  riskLevel: fc.option(text),
  error: fc.option(fc.record({ code: text, message: text })),
});

/** As the library for messages would have it read. */
function expected({ status, headers, decisionId, riskLevel, error }: EnforcementAnswer): object {
  const list = Object.entries(headers).map(([key, value]) => ({ header: { key, value }, append_action: 2 }));
  const fields = Object.entries({ decision_id: decisionId, risk_level: riskLevel, verdict: headers['x-gait-verdict'] })
    .filter(([, value]) => value != null)
    .map(([name, value]) => [name, { stringValue: value }]);
  const own = list.filter(({ header }) => header.key === 'www-authenticate' || header.key === 'x-gait-decision');
  const type = { header: { key: 'content-type', value: 'application/json' }, append_action: 2 };
  const denied = { status: { code: status }, headers: [...own, type], body: JSON.stringify({ error }) };
  return {
    status: { code: { 200: 0, 401: 16, 403: 7, 429: 8, 503: 14 }[status] },
    ...(error === null ? { ok_response: { headers: list } } : { denied_response: denied }),
    dynamic_metadata: { fields: Object.fromEntries(fields) },
  };
}

test('whatever an answer holds, its bytes read as the library’s own would', () => {
  const read = (bytes: Buffer): unknown => JSON.parse(JSON.stringify(Check!.responseDeserialize(bytes)));
  fc.assert(
    fc.property(answers, (answer) => {
      const bytes = Buffer.from(checkResponse(answer), 'latin1');
      assert.deepEqual(read(bytes), read(Buffer.from(Check!.responseSerialize(expected(answer)))));
    }),
    { numRuns: 500 },
  );
});
