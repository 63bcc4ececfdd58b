import { createServer, type Server } from 'node:http';
import { Readable } from 'node:stream';
import swagger from '@fastify/swagger';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/logging.ts';
import { GaitError } from '../core/errors.ts';
import { createGate, type Gate, localCaller } from './access.ts';
import { answerDirectly, type DirectOptions, isUnder } from './direct.ts';
import { createErrorAnswer, type ErrorAnswer, emptyHeaders, jsonType, securityHeaders } from './error-answer.ts';
import type { Metrics } from './metrics.ts';
import type { HttpParts } from './parts.ts';
import { type Headers, HttpError, type JsonSchema, type Lease, type Route } from './route.ts';
import { auditRoute } from './routes/audit.ts';
import { authzRoute } from './routes/authz.ts';
import { clickHouseRoutes } from './routes/clickhouse.ts';
import { createLapi } from './routes/crowdsec.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { eventsRoute } from './routes/events.ts';
import { feedbackRoutes } from './routes/feedback.ts';
import { findingRoutes } from './routes/findings.ts';
import { healthRoutes } from './routes/health.ts';
import { identityRoutes } from './routes/identities.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { opaRoute } from './routes/opa.ts';
import { operationRoutes } from './routes/operation.ts';
import { orderRoutes } from './routes/orders.ts';
import { overviewRoute } from './routes/overview.ts';
import { sessionRoutes } from './routes/session.ts';
import { slackRoute } from './routes/slack.ts';
import { ssfRoutes } from './routes/ssf.ts';
import { streamRoute } from './routes/stream.ts';
import { createSessions } from './session.ts';

export type HttpServer = {
  /** `http://host:port`, with the port that the system chose when 0 was asked for. */
  readonly address: string;
  /** Takes no new requests, lets those under way end. */
  readonly close: () => Promise<void>;
};

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly route?: Route;
  }
  interface FastifyRequest {
    lease?: Lease;
    caller?: string;
  }
}

/** A request whose body does not arrive within this time is closed, so that slow senders cannot hold connections. */
const requestTimeoutMs = 60_000;
const connectionsMax = 2048;
/** Of one request. Envoy, which asks with the headers of the call, allows 60 KiB. */
const headerBytesMax = 64 * 1024;
/** Of a route that says nothing else, and of one that does not exist: nobody has shown a key for it yet. */
const bodyBytesMax = 64 * 1024;
/** Longer than the minute for which gateways keep a connection that nothing is asked on, so that it is they who end it. */
const keepAliveMs = 72_000;

/** Listens when the promise resolves. Fails with CONFIG_INVALID when the address cannot be had. */
export async function startServer(config: Config['http'], parts: HttpParts, logger: Logger): Promise<HttpServer> {
  const gate = createGate(config, createSessions(config.keys, parts.session));
  const errorAnswer = createErrorAnswer(logger);
  const routes = allRoutes(parts, config);
  const app = fastify({
    serverFactory: (framework) => nodeServer().on('request', framework),
    bodyLimit: bodyBytesMax,
    // A filter that does not exist is refused: left out in silence it would answer with everything.
    ajv: { customOptions: { removeAdditional: false } },
    routerOptions: { maxParamLength: 1024 },
    rewriteUrl: ({ url = '/' }) => (isUnder('/authz', url) ? '/authz' : url),
    frameworkErrors: (error, _request, reply) => void sendError(reply, errorAnswer(error, undefined)),
  });
  app.server.maxConnections = connectionsMax;
  answerQuestions(app, routes, { gate, errorAnswer, metrics: parts.metrics, now: parts.session.now });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  addHooks(app, gate, parts.metrics);
  answerErrors(app, errorAnswer);
  await app.register(swagger, {
    openapi: documentHead(config.keys.length > 0),
    transform: ({ route: { config: of }, url }) => ({ url, schema: of?.route ? describe(of.route) : {} }),
  });
  await app.register(async (scope) => {
    for (const route of routes) addRoute(scope, route);
    addRoute(
      scope,
      openApiRoute(() => app.swagger()),
    );
  });
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    const why = reason === 'EADDRINUSE' ? 'another program does; http.port or GAIT_HTTP_PORT takes another' : reason;
    throw new GaitError('CONFIG_INVALID', `cannot listen on ${config.host}:${config.port}: ${why}`, { cause });
  }
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : config.port;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return { address: `http://${host}:${port}`, close: () => app.close() };
}

function nodeServer(): Server {
  const server = createServer({
    keepAliveTimeout: keepAliveMs,
    requestTimeout: requestTimeoutMs,
    maxHeaderSize: headerBytesMax,
  });
  // Node forgets in silence what comes behind the thousandth, and a caller could hide his token there from us, not from the API.
  server.maxHeadersCount = 0;
  return server;
}

/** Questions of enforcement points do not reach the framework, until the server closes. */
function answerQuestions(
  app: FastifyInstance,
  routes: readonly Route[],
  parts: Pick<DirectOptions, 'gate' | 'errorAnswer' | 'metrics' | 'now'>,
): void {
  const route = routes.find(({ isEnforcement }) => isEnforcement);
  if (route === undefined) throw new TypeError('no route answers enforcement points');
  const direct = answerDirectly(app.server, { ...parts, route, methods: anyMethod, keepAliveMs, headerBytesMax });
  app.addHook('preClose', async () => direct.close());
}

/** Methods of calls that are asked about. Node's parser knows no others that an API would have. */
const anyMethod = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

export function allRoutes(parts: HttpParts, config: Config['http']): readonly Route[] {
  const lapi = createLapi(parts.held);
  return [
    eventsRoute(parts.ingest, config.bodyBytesMax),
    authzRoute(parts.ask, config.bodyBytesMax),
    overviewRoute(parts.pages),
    streamRoute(parts.live),
    ...healthRoutes(parts.pages),
    ...incidentRoutes(parts),
    ...findingRoutes(parts),
    ...decisionRoutes(parts.queries, lapi),
    lapi.stream,
    opaRoute(parts.held),
    ...orderRoutes(parts),
    ...feedbackRoutes(parts),
    auditRoute(parts.queries),
    ...clickHouseRoutes(parts.sql, config.bodyBytesMax),
    ...identityRoutes(parts),
    ...(parts.slackAction === undefined ? [] : [slackRoute(parts.slackAction)]),
    ...(parts.ssf === undefined ? [] : ssfRoutes(parts.ssf)),
    ...operationRoutes(parts),
    ...sessionRoutes(createSessions(config.keys, parts.session), config.keys),
    ...dashboardRoutes(parts),
  ];
}

/** Everything that can be decided without the body is decided before it is read. */
function addHooks(app: FastifyInstance, gate: Gate, metrics: Metrics): void {
  app.addHook('onRequest', async (request, reply) => {
    const { route } = request.routeOptions.config;
    if (route === undefined) return;
    request.caller = gate(route, request.headers as Headers);
    const lease = route.admit?.(request.headers as Headers);
    if (lease === undefined) return;
    request.lease = lease;
    // Once, whether the answer was sent or the caller hung up.
    reply.raw.once('close', lease.release);
  });
  app.addHook('onResponse', async (request, reply) => {
    metrics.httpRequest(request.routeOptions.url ?? 'unknown', reply.statusCode);
  });
}

function addRoute(scope: FastifyInstance, route: Route): void {
  scope.route({
    method: route.method === 'ANY' ? anyMethod : route.method,
    url: route.url,
    config: { route },
    ...(route.bodyBytesMax && { bodyLimit: route.bodyBytesMax }),
    schema: { ...(route.query && { querystring: route.query }), ...(route.params && { params: route.params }) },
    handler: async (request, reply) => {
      const answer = await route.handle({
        headers: request.headers as Headers,
        method: request.method,
        url: request.originalUrl,
        caller: request.caller ?? localCaller,
        from: request.ip,
        params: request.params as Record<string, string>,
        query: request.query as Record<string, string | number>,
        body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
        lease: request.lease,
      });
      void reply.code(answer.status);
      if (answer.body === '') {
        // Without this the framework leaves the length out of answers to HEAD; RFC 9110, 8.6, wants none with 204.
        if (answer.status !== 204) void reply.header('content-length', '0');
        return reply.headers({ ...emptyHeaders, ...answer.headers }).send();
      }
      const isPlain =
        typeof answer.body === 'string' || Buffer.isBuffer(answer.body) || answer.body instanceof Readable;
      const content = isPlain ? answer.body : JSON.stringify(answer.body);
      return reply
        .headers({ ...securityHeaders, ...answer.headers })
        .type(answer.type ?? jsonType)
        .send(content);
    },
  });
}

/**
 * What the OpenAPI document says of a route. The server itself validates only parameters: bodies are checked record by record by the decoder,
 * and filtering answers through a schema would hide a field that is new.
 */
function describe(route: Route): Record<string, unknown> {
  const content = (schemas: Readonly<Record<string, JsonSchema>>) =>
    Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, { schema }]));
  const refusals =
    route.access === 'public' ? {} : { 401: { description: 'No key' }, 403: { description: 'Not with this key' } };
  const replies: Route['replies'] = { ...refusals, ...route.replies };
  const response = Object.entries(replies).map(([status, { description, schema }]) => [
    status,
    { description, content: content({ 'application/json': schema ?? (Number(status) < 400 ? {} : errorSchema) }) },
  ]);
  return {
    hide: route.isPage === true,
    summary: route.summary,
    ...(route.query && { querystring: route.query }),
    ...(route.params && { params: route.params }),
    ...(route.body && { body: { content: content(route.body) } }),
    ...(route.access !== 'public' && { security: [{ bearer: [] }, { apiKey: [] }] }),
    response: Object.fromEntries(response),
  };
}

const errorSchema = {
  type: 'object',
  properties: { error: { type: 'object', properties: { code: { type: 'string' }, message: { type: 'string' } } } },
};

function openApiRoute(document: () => object): Route {
  return {
    method: 'GET',
    url: '/openapi.json',
    summary: 'This document',
    access: 'public',
    replies: { 200: { description: 'OpenAPI 3.1' } },
    handle: async () => ({ status: 200, body: document() }),
  };
}

function documentHead(needsKey: boolean) {
  const note = needsKey
    ? 'Every route but the public ones needs a key.'
    : 'No key is configured: every route is open to this machine.';
  return {
    openapi: '3.1.0',
    info: { title: 'Gait', version: '1', description: `Learns how each identity moves through your APIs. ${note}` },
    components: {
      securitySchemes: {
        bearer: { type: 'http' as const, scheme: 'bearer' },
        apiKey: { type: 'apiKey' as const, name: 'x-api-key', in: 'header' as const },
      },
    },
  };
}

function answerErrors(app: FastifyInstance, errorAnswer: ErrorAnswer): void {
  app.setNotFoundHandler((request, reply) => {
    const error = new HttpError(404, 'not-found', { message: 'there is nothing here' });
    return sendError(reply, errorAnswer(error, request.routeOptions.url));
  });
  app.setErrorHandler((error, request, reply) => sendError(reply, errorAnswer(error, request.routeOptions.url)));
}

function sendError(reply: FastifyReply, { status, headers, body }: ReturnType<ErrorAnswer>): FastifyReply {
  return reply
    .code(status)
    .headers({ ...securityHeaders, ...headers })
    .type(jsonType)
    .send(JSON.stringify(body));
}
