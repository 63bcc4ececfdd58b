import { createHash } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { Config } from '../../src/config/config.ts';
import type { KeyRole } from '../../src/config/config-schema.ts';
import { createLogger } from '../../src/config/logging.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import type { HttpParts } from '../../src/http/parts.ts';
import { type HttpServer, startServer } from '../../src/http/server.ts';
import { DecisionTable } from '../../src/policy/decision-table.ts';
import { sampleDecision, sampleFeedback, sampleFinding, sampleLive, samplePages } from './sample.ts';

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string };
export type Ask = {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
};

/** Unlike fetch it can send any Host header, and it adds none of its own. */
export function ask(
  server: HttpServer,
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${server.address}${path}`, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

export function post(server: HttpServer, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(server, '/v1/events', {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
  });
}

export function apiKey(key: string, ...roles: KeyRole[]): Config['http']['keys'][number] {
  return { name: key, sha256: createHash('sha256').update(key).digest('hex'), roles };
}

export function sampleParts(changes: Partial<HttpParts> = {}): HttpParts {
  return {
    ingest: async ({ records }) => ({ kind: 'accepted', accepted: records.length, refused: [] }),
    explain: async () => undefined,
    order: async () => 'ntc_00000000',
    note: async () => 'unknown',
    queries: {
      findings: async () => ({ rows: [sampleFinding()], next: undefined }),
      finding: async (id) => (id === sampleFinding().finding_id ? sampleFinding() : undefined),
      decisions: async () => ({ rows: [sampleDecision], next: undefined }),
      decision: async (id) => (id === sampleDecision.decision_id ? { ...sampleDecision, receipts: [] } : undefined),
      audit: async () => ({ rows: [], next: undefined }),
      identity: async () => undefined,
    },
    feedback: sampleFeedback,
    pages: samplePages,
    live: sampleLive,
    slackAction: undefined,
    ssf: undefined,
    ask: () => ({ status: 200, headers: {}, decisionId: null, riskLevel: null, error: null }),
    held: {
      table: new DecisionTable(100),
      now: () => Date.now(),
      nextChange: async () => undefined,
      handed: () => undefined,
    },
    sql: { database: 'gait', ask: async () => ({ kind: 'refused', code: 62, name: 'SYNTAX_ERROR', message: 'x' }) },
    metrics: createMetrics(),
    readiness: async () => ({ ready: true, parts: { log: { ok: true, detail: 'embedded' } } }),
    site: {
      paths: ['/', '/findings/:id'],
      document: async () => ({ type: 'text/html', encoding: 'identity', body: Buffer.from('<!doctype html>') }),
      asset: async (name) =>
        name === 'main.js' ? { type: 'text/javascript', encoding: 'br', body: Buffer.from('x') } : undefined,
    },
    session: { secret: 'a secret of this test', now: () => Date.now() },
    ...changes,
  };
}

/** A server on a free port of loopback; `logged` holds its log lines. */
export async function serve(
  parts: HttpParts,
  changes: Partial<Config['http']> = {},
): Promise<HttpServer & { readonly logged: readonly string[] }> {
  const logged: string[] = [];
  const logger = createLogger('info', { write: (line) => logged.push(line) });
  const config = { host: '127.0.0.1', port: 0, bodyBytesMax: 64 * 1024, keys: [], ...changes };
  return { ...(await startServer(config, parts, logger)), logged };
}
