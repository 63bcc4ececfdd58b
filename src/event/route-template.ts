import { compileOpenApi, type OpenApiDocument, type OpenApiRoutes, type TemplatedRoute } from './open-api-routes.ts';
import { noObjects, pathShapes } from './path-shape.ts';

export type RouteTemplaterOptions = {
  readonly openApi?: readonly OpenApiDocument[];
  /** Routes kept per host; beyond, a route not seen before is `{other}`. */
  readonly routesPerHostMax?: number;
  /** Hosts kept; beyond, all further hosts share one set of routes. */
  readonly hostsMax?: number;
};

/** What the templater needs of an event. */
export type RouteSource = {
  readonly route: string | null;
  readonly path: string | null;
  readonly operation: string | null;
  readonly method: string | null;
  readonly host: string | null;
  readonly status: number | null;
};

export type RouteTemplater = {
  readonly template: (event: RouteSource) => TemplatedRoute;
  /** Calls that were given `{other}` so far. */
  readonly overflowed: () => number;
};

const otherRoute = '{other}';
const segmentsMax = 24;
const routeCharsMax = 512;

/**
 * The gateway's template, else the OpenAPI document's, else one made from the path's own shape. Without a path, the operation is the route.
 * Bounded: whatever callers send, there are at most `routesPerHostMax` routes per host.
 */
export function createRouteTemplater(options: RouteTemplaterOptions = {}): RouteTemplater {
  const routesMax = options.routesPerHostMax ?? 500;
  const hostsMax = options.hostsMax ?? 1000;
  const documents = (options.openApi ?? []).map(compileOpenApi);
  const hosts = new Map<string, HostRoutes>();
  let overflowed = 0;

  const routesOf = (host: string): HostRoutes => {
    let routes = hosts.get(host);
    if (routes !== undefined) return routes;
    const key = hosts.size < hostsMax ? host : otherRoute;
    routes = hosts.get(key);
    if (routes === undefined) {
      routes = { answered: new Map(), unanswered: 0, max: routesMax };
      hosts.set(key, routes);
    }
    return routes;
  };

  return {
    overflowed: () => overflowed,
    template(event) {
      const made = templateOf(event, documents);
      if (admit(routesOf(event.host ?? ''), made.route, event.status !== 404)) return made;
      overflowed++;
      return { route: otherRoute, objects: made.objects };
    },
  };
}

/** A route is answered once a call to it got anything but 404. */
type HostRoutes = { readonly answered: Map<string, boolean>; unanswered: number; readonly max: number };

/** Routes that only ever gave 404 may take half of the places: a scanner's guesses must not push real routes into `{other}`. */
function admit(routes: HostRoutes, route: string, isAnswered: boolean): boolean {
  const known = routes.answered.get(route);
  if (known === true || (known === false && !isAnswered)) return true;
  if (known === false) routes.unanswered--;
  else if (routes.answered.size >= routes.max || (!isAnswered && routes.unanswered * 2 >= routes.max)) return false;
  if (!isAnswered) routes.unanswered++;
  routes.answered.set(route, isAnswered);
  return true;
}

function templateOf(event: RouteSource, documents: readonly OpenApiRoutes[]): TemplatedRoute {
  if (event.route === null && event.path !== null && documents.length === 0) {
    const known = pathShapes.template(event.path, templateShape);
    if (known !== undefined) return known;
  }
  const path = event.path === null ? null : pathOf(event.path);
  if (event.route !== null)
    return { route: event.route.slice(0, routeCharsMax), objects: objectsOf(event.route, path) };
  if (path === null) return { route: event.operation ?? '-', objects: noObjects };
  for (const document of documents) {
    const found = document(path, event.method, event.host);
    if (found !== null) return found;
  }
  return templatePath(path);
}

const templateShape = (path: string): TemplatedRoute => templatePath(pathOf(path));

function pathOf(path: string): string {
  const query = path.indexOf('?');
  const head = query < 0 ? path : path.slice(0, query);
  // An absolute URL, as a proxy's client sends it.
  const authority = head.startsWith('http') ? head.indexOf('://') : -1;
  if (authority < 0) return head;
  const start = head.indexOf('/', authority + 3);
  return start < 0 ? '/' : head.slice(start);
}

const parameter = /^(?:\{[^/]*\}|:[A-Za-z_]\w*|<[^/]*>|\*)$/;

/** The path's values at the places of the template's parameters, read from the end (gateways cut prefixes off); without parameters, by shape. */
function objectsOf(route: string, path: string | null): readonly string[] {
  if (path === null) return noObjects;
  if (!/[{:<*]/.test(route)) return templatePath(path).objects;
  const wanted = route.split('/').filter((part) => part !== '');
  const given = path.split('/').filter((part) => part !== '');
  const objects: string[] = [];
  const shift = given.length - wanted.length;
  for (let i = 0; i < wanted.length; i++) {
    const value = given[i + shift];
    if (value !== undefined && parameter.test(wanted[i]!)) objects.push(value);
  }
  return objects;
}

/** Deterministic: the same path gives the same template, whatever came before. Plain words are never merged (see `shapeOf`). */
export function templatePath(path: string): TemplatedRoute {
  if (isPlain(path)) return { route: path, objects: noObjects };
  const objects: string[] = [];
  let route = '';
  let segments = 0;
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    const segment = path.slice(start, end);
    start = end + 1;
    if (segment === '') continue;
    if (segments++ === segmentsMax) {
      route += '/{rest}';
      break;
    }
    const shape = shapeOf(segment);
    if (shape !== null) objects.push(segment);
    route += `/${shape ?? segment}`;
  }
  return { route: (route || '/').slice(0, routeCharsMax), objects: objects.length === 0 ? noObjects : objects };
}

/** Letters, `-`, `_`, `.` and single slashes in short segments only: nothing to template, and the path is its own route. */
function isPlain(path: string): boolean {
  if (path.length === 0 || path.length > 100 || path.charCodeAt(0) !== 47) return false;
  let run = 0;
  for (let i = 1; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === 47) {
      if (run === 0) return false;
      run = 0;
    } else {
      const lower = code | 32;
      if (!((lower >= 97 && lower <= 122) || code === 45 || code === 95 || code === 46) || ++run > 15) return false;
    }
  }
  return run > 0 || path.length === 1;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const date = /^(?:19|20)\d\d-(?:0\d|1[0-2])(?:-[0-3]\d)?(?:T[\d:.%A-Fa-f+-]*Z?)?$/;
const email = /^[^@\s]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63})+$/;
const ipv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const ipv6 = /^(?:[0-9a-f]{0,4}(?::|%3a)){2,7}[0-9a-f]{0,4}$/i;
/** `cus_Nf31Qz81`, `ord-20391`, `i-0abc12de34f`: a short prefix and a part with three digits or more. */
const prefixedId = /^[a-z]{1,8}[-_](?=(?:[^0-9]*[0-9]){3})(?:[0-9]{5,}|[0-9A-Za-z]{8,})$/i;
const fileName = /^(.+)(\.[a-z][a-z0-9]{1,4})$/i;

/**
 * What kind of value a segment is, or null when it is a name. Conservative: an endpoint merged into another is lost, while one too many is only
 * counted against the limit. So a value needs digits, and words, versions (`v2`) and slugs (`my-first-post`) stay.
 */
function shapeOf(segment: string): string | null {
  const simple = simpleShape(segment);
  if (simple !== undefined) return simple;
  if (/^-\d+$/.test(segment)) return '{id}';
  if (segment === '***') return '{secret}';
  if (segment.length === 36 && uuid.test(segment)) return '{uuid}';
  if (date.test(segment)) return '{date}';
  if (ipv4.test(segment) || (segment.includes(':') && ipv6.test(segment))) return '{ip}';
  if (email.test(segment)) return '{email}';
  if (prefixedId.test(segment)) return '{id}';
  if (isHash(segment)) return '{hash}';
  const file = fileName.exec(segment);
  const stem = file === null ? null : shapeOf(file[1]!);
  return stem === null ? null : stem + file![2]!.toLowerCase();
}

/** The shape of most segments, without an expression: digits only, or a word too short for anything else; undefined needs a closer look. */
function simpleShape(segment: string): '{id}' | null | undefined {
  let digits = 0;
  let separators = 0;
  for (let i = 0; i < segment.length; i++) {
    const code = segment.charCodeAt(i);
    const lower = code | 32;
    if (code >= 48 && code <= 57) digits++;
    else if (code === 45 || code === 95) separators++;
    else if (!(lower >= 97 && lower <= 122)) return undefined;
  }
  if (digits === segment.length) return '{id}';
  // Only a UUID has that many characters and perhaps no digit; a hash has twelve or more and a digit; the rest need a separator.
  if (digits === 0) return segment.length === 36 ? undefined : null;
  return separators === 0 && segment.length < 12 ? null : undefined;
}

/** Hex of 12 digits or more; else 16 or more characters of base64url or base58 in which letters and digits change often, as chance makes them. */
function isHash(segment: string): boolean {
  if (segment.length < 12 || !/\d/.test(segment)) return false;
  if (/^[0-9a-f]+$/i.test(segment)) return /[a-f]/i.test(segment);
  if (segment.length < 16 || !/^[\w%=~+-]+$/.test(segment)) return false;
  const changes = segment.match(/(?<=[0-9])[A-Za-z]|(?<=[A-Za-z])[0-9]|(?<=[a-z])[A-Z]/g)?.length ?? 0;
  // A slug such as `10-ways-to-2x-sales` has words; chance gives a change at every second or third character.
  return changes >= 4 && changes * 5 >= segment.length;
}
