import { assign, assignIfEmpty, type Draft } from '../draft.ts';
import { isMissing } from './coerce.ts';
import { assignAll, assignTime, type FieldSource, type Format, type JsonObject } from './format.ts';

const sources: readonly FieldSource[] = [
  ['event_id', 'requestId', 'extendedRequestId'],
  ['trace_id', 'xrayTraceId', 'requestId'],
  ['client_ip', 'ip', 'sourceIp'],
  ['user_agent', 'userAgent'],
  ['subject', 'sub', 'principalId', 'userArn', 'user', 'caller'],
  ['client_id', 'clientId', 'client_id'],
  ['method', 'httpMethod'],
  ['host', 'domainName'],
  ['path', 'path'],
  ['route', 'resourcePath'],
  ['status', 'status'],
  ['response_bytes', 'responseLength'],
  ['duration_ms', 'responseLatency'],
  ['upstream_ms', 'integrationLatency'],
  ['error_code', 'errorResponseType', 'errorMessage'],
  ['mtls_subject', 'clientCertSubject'],
];

/** API Gateway's access log by our $context format. All values are strings, "-" when there is none. */
export const awsApiGateway: Format = {
  name: 'aws-api-gateway',
  detect: (record) =>
    (record.requestTimeEpoch ?? record.requestTime) !== undefined &&
    (record.httpMethod ?? record.routeKey ?? record.resourcePath) !== undefined,
  decode(record: JsonObject, draft: Draft): void {
    assignTime(draft, record.requestTimeEpoch, record.requestTime);
    assign(draft, 'source', 'aws-api-gateway');
    assignAll(draft, record, sources);
    // The id of a key, not the key; but one form for all keys, and some formats log $context.identity.apiKey here.
    assign(draft, 'api_key', isMissing(record.apiKeyId) ? record.apiKey : record.apiKeyId);
    assignRouteKey(draft, record.routeKey);
    if (!isMissing(record.apiId))
      assign(draft, 'service', isMissing(record.stage) ? record.apiId : `${record.apiId}/${record.stage}`);
  },
};

/** `GET /orders/{id}` of an HTTP API; `$default` is no template. */
function assignRouteKey(draft: Draft, routeKey: unknown): void {
  if (typeof routeKey !== 'string') return;
  const [method, route] = routeKey.split(' ', 2);
  if (route === undefined) return;
  assignIfEmpty(draft, 'method', method === 'ANY' ? null : method);
  assignIfEmpty(draft, 'route', route);
}
