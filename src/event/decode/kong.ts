import { assign, assignIfEmpty, type Draft } from '../draft.ts';
import { toNumber } from './coerce.ts';
import { assignCredentials } from './credentials.ts';
import { assignTime, child, type Format, header, isJsonObject, type JsonObject } from './format.ts';

/** Kong's log serializer (http-log, file-log, kafka-log …); a batch is an array of these. */
export const kong: Format = {
  name: 'kong',
  detect: (record) => isJsonObject(record.request) && isJsonObject(record.response) && record.started_at !== undefined,
  decode(record: JsonObject, draft: Draft): void {
    assignTime(draft, record.started_at);
    assign(draft, 'source', 'kong');
    assignWho(draft, record);
    assignRequest(draft, record);
    const response = child(record, 'response');
    assign(draft, 'status', response.status);
    assign(draft, 'response_bytes', response.size);
    const latencies = child(record, 'latencies');
    assign(draft, 'duration_ms', latencies.request);
    // -1: nothing was asked upstream.
    if (toNumber(latencies.proxy) !== -1) assign(draft, 'upstream_ms', latencies.proxy);
    // Kong's own refusals (rate limit, key unknown) are outcomes like any other; ours carry the decision's id.
    assign(draft, 'decision_id', header(child(response, 'headers'), 'x-gait-decision'));
    // The header may be the API's, which may have copied it from the call: ours is only what Kong answered without asking the API.
    draft.event.enforced = draft.event.decision_id !== null && (toNumber(latencies.proxy) ?? -1) < 0;
  },
};

function assignWho(draft: Draft, record: JsonObject): void {
  const headers = child(child(record, 'request'), 'headers');
  const consumer = child(record, 'consumer');
  const entity = child(record, 'authenticated_entity');
  assign(draft, 'consumer', consumer.username ?? consumer.custom_id ?? consumer.id ?? entity.consumer_id);
  // On a route without authentication anybody can send any key: only where Kong knew the caller does one say who it was.
  const isAuthenticated = isJsonObject(record.consumer) || isJsonObject(record.authenticated_entity);
  if (isAuthenticated) assign(draft, 'api_key', header(headers, 'apikey') ?? header(headers, 'x-api-key'));
  assign(draft, 'client_ip', record.client_ip);
  assign(draft, 'forwarded_for', header(headers, 'x-forwarded-for'));
  assign(draft, 'user_agent', header(headers, 'user-agent'));
  assignCredentials(draft, headers);
}

function assignRequest(draft: Draft, record: JsonObject): void {
  const request = child(record, 'request');
  const tls = child(request, 'tls');
  assign(draft, 'event_id', request.id);
  assign(draft, 'trace_id', record.correlation_id ?? request.id);
  assign(draft, 'method', request.method);
  assign(draft, 'path', request.uri);
  assign(draft, 'host', header(child(request, 'headers'), 'host'));
  assign(draft, 'request_bytes', request.size);
  assign(draft, 'tls_version', tls.version);
  assign(draft, 'tls_cipher', tls.cipher);
  if (typeof tls.client_verify === 'string' && tls.client_verify !== 'NONE') {
    assign(draft, 'client_cert_verified', tls.client_verify === 'SUCCESS');
  }
  assign(draft, 'service', child(record, 'service').name);
  assignIfEmpty(draft, 'route', routeTemplate(child(record, 'route')));
}

/** A Kong route is a prefix with a name and may cover a whole API, so it is a template only if its path has parameters (`~/orders/(?<id>…)`). */
function routeTemplate(route: JsonObject): string | null {
  const path: unknown = Array.isArray(route.paths) && route.paths.length === 1 ? route.paths[0] : null;
  if (typeof path !== 'string' || !path.startsWith('~') || !path.includes('(?<')) return null;
  return path
    .slice(1)
    .replace(/\$$/, '')
    .replace(/\(\?<(\w{1,64})>[^)]{0,256}\)/g, '{$1}');
}
