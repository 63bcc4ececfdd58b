import { assign, type Draft } from '../draft.ts';
import { assignTime, child, type Format, isJsonObject, type JsonObject } from './format.ts';

/**
 * AWS CloudTrail, one API call per record. The identity is the ARN (of the session, for an assumed role), or the service that called. There is no
 * HTTP in it: method and status are derived (readOnly, errorCode), `operation` is `service:EventName`, and host is the regional endpoint, so that
 * a region never used before shows as a new host.
 */
export const cloudtrail: Format = {
  name: 'cloudtrail',
  detect: (record) =>
    record.eventSource !== undefined && record.eventName !== undefined && record.eventTime !== undefined,
  decode(record: JsonObject, draft: Draft): void {
    assignTime(draft, record.eventTime);
    assign(draft, 'source', 'cloudtrail');
    assign(draft, 'event_id', record.eventID);
    assign(draft, 'trace_id', record.requestID);
    assign(draft, 'user_agent', record.userAgent);
    assignCaller(draft, record);
    assignCall(draft, record);
    assignResult(draft, record);
    assignObjects(draft, record);
    const tls = child(record, 'tlsDetails');
    assign(draft, 'tls_version', tls.tlsVersion);
    assign(draft, 'tls_cipher', tls.cipherSuite);
  },
};

function assignCaller(draft: Draft, record: JsonObject): void {
  const identity = child(record, 'userIdentity');
  const context = child(identity, 'sessionContext');
  const attributes = child(context, 'attributes');
  const issuer = child(context, 'sessionIssuer');
  const name = identity.arn ?? identity.principalId ?? identity.userName;
  if (identity.type === 'AWSService' || name === undefined) {
    assign(draft, 'client_id', identity.invokedBy ?? record.sourceIPAddress);
    assign(draft, 'actor_kind', 'service');
  } else {
    assign(draft, 'subject', name);
    assign(draft, 'caller_service', identity.invokedBy);
    const kind = actorKind(identity, issuer);
    if (kind !== null) assign(draft, 'actor_kind', kind);
  }
  if (issuer.userName !== undefined) assign(draft, 'roles', [issuer.userName]);
  if (typeof identity.accessKeyId === 'string') assign(draft, 'token_id', draft.redactor.digest(identity.accessKeyId));
  assign(draft, 'auth_time', attributes.creationDate);
  const usedMfa = attributes.mfaAuthenticated === 'true' || child(record, 'additionalEventData').MFAUsed === 'Yes';
  if (usedMfa) assign(draft, 'amr', ['mfa']);
  // The address of a call made by a service is the service's name, which is no address.
  assign(draft, 'client_ip', record.sourceIPAddress);
}

/** Roles are assumed by people and by machines; only where the session name or the role path says so is it a machine. */
function actorKind(identity: JsonObject, issuer: JsonObject): 'human' | 'service' | null {
  if (identity.type === 'IAMUser' || identity.type === 'Root' || identity.type === 'IdentityCenterUser') return 'human';
  const arn = typeof identity.arn === 'string' ? identity.arn : '';
  const role = typeof issuer.arn === 'string' ? issuer.arn : '';
  return /\/i-[0-9a-f]{8,17}$/.test(arn) || role.includes(':role/aws-service-role/') ? 'service' : null;
}

function assignCall(draft: Draft, record: JsonObject): void {
  const { eventSource: source, eventName: name } = record;
  if (typeof source !== 'string' || typeof name !== 'string') {
    draft.problem ??= 'operation: expected eventSource and eventName to be strings';
    return;
  }
  const service = source.replace(/\.amazonaws\.com$/, '');
  assign(draft, 'service', service);
  assign(draft, 'operation', `${service}:${name}`);
  const region = typeof record.awsRegion === 'string' ? `.${record.awsRegion}` : '';
  assign(draft, 'host', `${service}${region}.amazonaws.com`);
  const reads = record.readOnly ?? /^(?:Get|List|Describe|Head|Lookup|Search|BatchGet)/.test(name);
  assign(draft, 'method', reads === true || reads === 'true' ? 'GET' : 'POST');
  const extra = child(record, 'additionalEventData');
  assign(draft, 'request_bytes', extra.bytesTransferredIn);
  assign(draft, 'response_bytes', extra.bytesTransferredOut);
}

function assignResult(draft: Draft, record: JsonObject): void {
  const code = record.errorCode;
  assign(draft, 'error_code', code);
  const login = child(record, 'responseElements').ConsoleLogin;
  if (login === 'Success' || login === 'Failure') assign(draft, 'auth_result', login);
  if (login === 'Failure') assign(draft, 'status', 401);
  else if (typeof code !== 'string' || code === '') assign(draft, 'status', 200);
  else assign(draft, 'status', /denied|unauthori[sz]ed|forbidden/i.test(code) ? 403 : 400);
}

/** Request parameters hold passwords and tokens too: only these, which name things, are read. */
const objectParameters = [
  ...['bucketName', 'roleName', 'roleArn', 'userName', 'groupName', 'policyArn', 'policyName', 'instanceProfileName'],
  ...[
    'secretId',
    'name',
    'parameterName',
    'instanceId',
    'snapshotId',
    'imageId',
    'volumeId',
    'groupId',
    'vpcId',
    'subnetId',
  ],
  ...['functionName', 'keyId', 'keyName', 'trailName', 'tableName', 'queueUrl', 'topicArn', 'stackName', 'clusterName'],
  ...['dBInstanceIdentifier', 'dBSnapshotIdentifier', 'logGroupName', 'repositoryName', 'resourceArn', 'resourceId'],
] as const;
const objectsMax = 16;
const objectCharsMax = 256;

function assignObjects(draft: Draft, record: JsonObject): void {
  const found = new Set<string>();
  const add = (value: unknown): void => {
    if (typeof value === 'string' && value !== '' && found.size < objectsMax) found.add(value.slice(0, objectCharsMax));
  };
  if (Array.isArray(record.resources))
    for (const resource of record.resources.slice(0, objectsMax)) if (isJsonObject(resource)) add(resource.ARN);
  const parameters = child(record, 'requestParameters');
  for (const name of objectParameters) add(parameters[name]);
  if (typeof parameters.bucketName === 'string' && typeof parameters.key === 'string')
    add(`${parameters.bucketName}/${parameters.key}`);
  for (const name of ['instancesSet', 'snapshotSet', 'imagesSet']) addItems(child(parameters, name).items, add);
  // Machines that were started have names only now; each will call under its own.
  addItems(child(child(record, 'responseElements'), 'instancesSet').items, add);
  if (found.size > 0) assign(draft, 'object_ids', [...found]);
}

function addItems(items: unknown, add: (value: unknown) => void): void {
  if (!Array.isArray(items)) return;
  for (const item of items.slice(0, objectsMax))
    if (isJsonObject(item)) add(item.instanceId ?? item.snapshotId ?? item.imageId);
}
