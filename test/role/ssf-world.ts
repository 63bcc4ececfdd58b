import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/config/logging.ts';
import { Secret } from '../../src/config/secret.ts';
import type { Audit, AuditEntry } from '../../src/core/audit.ts';
import { systemClock } from '../../src/core/clock.ts';
import { startServer } from '../../src/http/server.ts';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { Decision, Receipt } from '../../src/policy/decision.ts';
import type { Notice } from '../../src/policy/notice.ts';
import { runSsf } from '../../src/role/ssf.ts';
import { apiKey, ask, sampleParts } from '../http/client.ts';
import { aDecision } from '../signal/a-decision.ts';

export const issuer = 'https://gait.example.com';
export const streamRequest = { delivery: { method: 'urn:ietf:rfc:8936' } };
export const topics = ['gait.ssf', 'gait.signals', 'gait.receipts'];

/** Shared signals over a real log and a real server; the clock can be put forward. */
export async function ssfWorld(ssf: Record<string, unknown>, folder = mkdtempSync(join(tmpdir(), 'gait-ssf-'))) {
  const outcome = parseConfig({ name: 'test', text: () => JSON.stringify({ dataDir: folder, ssf }) }, {});
  if (outcome.kind !== 'ok') throw new Error(outcome.problems.join());
  const keys = [apiKey('idp', 'ssf'), apiKey('other', 'ssf'), apiKey('stranger', 'ssf'), apiKey('reader', 'analyst')];
  const config: Config = { ...outcome.config, http: { ...outcome.config.http, port: 0, keys } };
  let ahead = 0;
  const clock = { now: () => systemClock.now() + ahead };
  const log = await openEmbeddedLog({ path: join(folder, 'log'), onTrouble: () => {} });
  await log.ensureTopics(topics.map((name) => ({ name, partitions: 1, cleanup: 'compact' })));
  const stop = new AbortController();
  const notices: Notice[] = [];
  const tell = async (told: readonly Notice[]): Promise<void> => void notices.push(...told);
  const key = new Secret('0123456789abcdef');
  const audited: Omit<AuditEntry, 'audit_id' | 'at'>[] = [];
  const audit: Audit = async (entry) => void audited.push(entry);
  const running = await runSsf({ log, config, key, clock, audit, tell, delivered: () => {} }, stop.signal);
  const server = await startServer(config.http, sampleParts({ ssf: running.parts }), createLogger('silent'));
  const receipts: Receipt[] = [];
  const read = await log.tail({
    topic: 'gait.receipts',
    from: 'earliest',
    onRecords: (records) => {
      for (const { value } of records) if (value !== null) receipts.push(JSON.parse(value.toString()) as Receipt);
    },
  });
  return {
    folder,
    notices,
    audited,
    receipts,
    forward: (ms: number) => {
      ahead += ms;
    },
    decide: (...decisions: readonly Decision[]) =>
      log.append(
        'gait.signals',
        decisions.map((decision) => ({ key: decision.decision_id, value: JSON.stringify(decision) })),
      ),
    call: async (request: string, body?: unknown, caller = 'idp') => {
      const [method = '', path = ''] = request.split(' ');
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const headers: Record<string, string> = caller === '' ? {} : { authorization: `Bearer ${caller}` };
      const answer = await ask(server, path, { method, headers, ...(body === undefined ? {} : { body: text }) });
      return { ...answer, body: answer.text === '' ? undefined : JSON.parse(answer.text) };
    },
    push: (token: string, type = 'application/secevent+jwt') =>
      ask(server, '/ssf/receive', { method: 'POST', headers: { 'content-type': type }, body: token }),
    stop: async () => {
      stop.abort();
      await server.close();
      await Promise.all([...running.consumptions, read].map((each) => each.close()));
      await log.close();
    },
    forget: () => rmSync(folder, { recursive: true }),
  };
}

export type Delivery = { readonly request: IncomingMessage; readonly body: string };

/** A receiver of pushes that answers as it is told: with a status, or by `null` not at all. */
export async function pushReceiver(answer: () => { status: number; body?: string }) {
  const got: Delivery[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { status, body: text = '' } = answer();
    if (status < 500) got.push({ request, body });
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/caep`;
  return { got, url, close: () => new Promise((resolve) => server.close(resolve)) };
}

/** The end of u-123's session, decided just now. */
export function aRevocation(changes: Partial<Decision> = {}): Decision {
  return aDecision({
    identity: 'user:-:u-123' as Decision['identity'],
    tenant: '-',
    action: 'revoke-session',
    incident_id: 'inc_8f2c',
    risk: 80,
    risk_level: 'HIGH',
    session_risk: 80,
    session_id: 'sid-9',
    ...changes,
  });
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = systemClock.now() + 20_000;
  while (!(await condition())) {
    if (systemClock.now() > end) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
