import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Gate } from './access.ts';
import { type ErrorAnswer, emptyHeaders, jsonType, securityHeaders } from './error-answer.ts';
import type { Metrics } from './metrics.ts';
import type { Reply, Route } from './route.ts';

export type DirectOptions = {
  /** Of an enforcement point: what is asked stands in the headers, and nothing is to be admitted or read. */
  readonly route: Route;
  readonly methods: readonly string[];
  readonly gate: Gate;
  readonly errorAnswer: ErrorAnswer;
  readonly metrics: Metrics;
};

const nothing = Buffer.alloc(0);
const securityFields: readonly string[] = Object.entries(securityHeaders).flat();
const emptyFields: readonly string[] = Object.entries(emptyHeaders).flat();

/**
 * Before each call of somebody's API a gateway asks, and to decide takes a few microseconds: what a framework adds to a request is most of
 * what an answer costs. So questions are answered here, on Node's own server, in one write, and at once when the answer is at hand. What
 * has a body to be read, or is asked in another way, is the framework's, which has the same route and gives the same answers.
 */
export function answerDirectly(options: DirectOptions, framework: RequestListener): RequestListener {
  const { route, gate, errorAnswer, metrics } = options;
  const methods = new Set(options.methods);
  const send = (response: ServerResponse, reply: Reply): void => {
    const { status, body } = reply;
    const content = typeof body === 'string' ? body : JSON.stringify(body);
    const fields = [...(content === '' ? emptyFields : securityFields)];
    if (content !== '') fields.push('content-type', reply.type ?? jsonType);
    fields.push('content-length', String(Buffer.byteLength(content)));
    for (const name in reply.headers) fields.push(name, reply.headers[name]!);
    response.writeHead(status, fields).end(content);
    metrics.httpRequest(route.url, status);
  };
  const fail = (response: ServerResponse, error: unknown): void => send(response, errorAnswer(error, route.url));
  return (request, response) => {
    const { method = '', url = '', headers, socket } = request;
    if (!isUnder(route.url, url) || !methods.has(method) || hasBody(request)) return framework(request, response);
    try {
      const caller = gate(route, headers);
      const from = socket.remoteAddress ?? '';
      const given = route.handle({
        headers,
        method,
        url,
        caller,
        from,
        params: {},
        query: {},
        body: nothing,
        lease: undefined,
      });
      if (!(given instanceof Promise)) send(response, given);
      else given.then((reply) => send(response, reply)).catch((error: unknown) => fail(response, error));
    } catch (error) {
      fail(response, error);
    }
  };
}

/** Whatever follows is the path of the call that is asked about, and none of ours: it must not be parsed, decoded or bounded as one. */
export function isUnder(route: string, url: string): boolean {
  if (!url.startsWith(route)) return false;
  const next = url.charCodeAt(route.length);
  return url.length === route.length || next === 47 /* / */ || next === 63; /* ? */
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
