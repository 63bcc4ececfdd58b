import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { decodeOne, newDecoder, redactor, refusals } from './decode-one.ts';

const sample = join(import.meta.dirname, '../../../../pipelines/sample/cloudtrail-attack.jsonl.gz');
const lines = gunzipSync(readFileSync(sample)).toString('utf8').trim().split('\n');

const role = {
  eventVersion: '1.08',
  userIdentity: {
    type: 'AssumedRole',
    principalId: 'AROAEXAMPLE:alice',
    arn: 'arn:aws:sts::111122223333:assumed-role/admin/alice',
    accountId: '111122223333',
    accessKeyId: 'ASIAEXAMPLEEXAMPLE12',
    sessionContext: {
      sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::111122223333:role/admin', userName: 'admin' },
      attributes: { creationDate: '2025-12-17T19:00:00Z', mfaAuthenticated: 'true' },
    },
  },
  eventTime: '2025-12-17T19:33:20Z',
  eventSource: 'secretsmanager.amazonaws.com',
  eventName: 'GetSecretValue',
  awsRegion: 'eu-west-1',
  sourceIPAddress: '203.0.113.7',
  userAgent: 'aws-cli/2.15',
  errorCode: 'AccessDeniedException',
  requestParameters: { secretId: 'billing', password: 'hunter2hunter2', clientRequestToken: 'tok-123456789' },
  requestID: 'r-1',
  eventID: 'e-1',
  readOnly: true,
  tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' },
};

test('the recorded attack decodes without one dead letter, every label identity among its identities', () => {
  const decode = newDecoder();
  const events = lines.flatMap((line) => decode(line));
  assert.equal(events.length, 2900);
  assert.deepEqual(refusals(events), []);
  const names = new Set(
    events.map((event) => (event.kind === 'ok' ? (event.value.subject ?? event.value.client_id) : null)),
  );
  assert.equal(names.size, 21);
  assert.ok(names.has('arn:aws:iam::123837392027:user/bert-jan') && names.has('secretsmanager.amazonaws.com'));
});

test('an assumed role is its session, with the role as role and the refusal as 403', () => {
  const event = decodeOne(role);
  assert.equal(event.subject, role.userIdentity.arn);
  assert.deepEqual(event.roles, ['admin']);
  assert.deepEqual(event.amr, ['mfa']);
  assert.equal(event.token_id, redactor.digest('ASIAEXAMPLEEXAMPLE12'));
  assert.equal(event.operation, 'secretsmanager:GetSecretValue');
  assert.equal(event.host, 'secretsmanager.eu-west-1.amazonaws.com');
  assert.deepEqual([event.method, event.status, event.error_code], ['GET', 403, 'AccessDeniedException']);
  assert.equal(event.auth_time, Date.UTC(2025, 11, 17, 19) / 1000);
  assert.deepEqual(event.object_ids, ['billing']);
});

test('of the request parameters only what names things is kept', () => {
  assert.doesNotMatch(JSON.stringify(decodeOne(role)), /hunter2|tok-123|ASIAEXAMPLE/);
});

test('machines that a call started are among its objects', () => {
  const started = { instancesSet: { items: [{ instanceId: 'i-0dbc91f429e48eeed', imageId: 'ami-1' }] } };
  const event = decodeOne({ ...role, requestParameters: { subnetId: 'subnet-1' }, responseElements: started });
  assert.deepEqual(event.object_ids, ['subnet-1', 'i-0dbc91f429e48eeed']);
});

test('a service is a service, an instance role is a machine, a failed console log-in is a refusal', () => {
  const service = decodeOne({
    ...role,
    userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
    sourceIPAddress: 'ec2.amazonaws.com',
    errorCode: undefined,
  });
  assert.deepEqual(
    [service.client_id, service.actor_kind, service.subject, service.client_ip, service.status],
    ['ec2.amazonaws.com', 'service', null, null, 200],
  );
  const instance = decodeOne({
    ...role,
    userIdentity: { ...role.userIdentity, arn: 'arn:aws:sts::111122223333:assumed-role/web/i-0dbc91f429e48eeed' },
  });
  assert.equal(instance.actor_kind, 'service');
  const login = decodeOne({
    ...role,
    eventName: 'ConsoleLogin',
    readOnly: false,
    errorCode: undefined,
    responseElements: { ConsoleLogin: 'Failure' },
  });
  assert.deepEqual([login.method, login.status, login.auth_result], ['POST', 401, 'failure']);
});

test('records come out of a file, of EventBridge and of SNS; a notice about a file is refused by name', () => {
  const decode = newDecoder({ format: 'cloudtrail' });
  assert.equal(decode({ Records: [role, role, 'x'] }).filter((outcome) => outcome.kind === 'ok').length, 2);
  assert.deepEqual(refusals(decode({ Records: [role, 'x'] })), ['not-an-object: not a JSON object']);
  assert.equal(decode({ version: '0', 'detail-type': 'AWS API Call via CloudTrail', detail: role })[0]?.kind, 'ok');
  assert.equal(decode({ Type: 'Notification', Message: JSON.stringify({ Records: [role] }) })[0]?.kind, 'ok');
  const notice = { Records: [{ eventVersion: '2.1', eventSource: 'aws:s3', s3: { object: { key: 'k' } } }] };
  assert.deepEqual(refusals(newDecoder()(notice)), [
    'unknown-format: names a file in S3 instead of holding its records',
  ]);
});

test('an eventName of the wrong type is one dead letter, not a crash', () => {
  assert.deepEqual(refusals(newDecoder()({ ...role, eventName: { a: 1 } })), [
    'invalid-field: operation: expected eventSource and eventName to be strings',
  ]);
});
