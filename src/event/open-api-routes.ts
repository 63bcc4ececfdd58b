import { isJsonObject, type JsonObject } from './decode/format.ts';

/** A parsed OpenAPI 3 (or Swagger 2) document; only `servers`/`basePath` and the keys of `paths` are read. */
export type OpenApiDocument = JsonObject;

export type TemplatedRoute = {
  readonly route: string;
  /** The values that the template's parameters stand for. */
  readonly objects: readonly string[];
};

type Node = {
  readonly literals: Map<string, Node>;
  /** Child for any segment; its route is the document's text with the parameter's name. */
  parameter: Node | null;
  route: string | null;
};

export type OpenApiRoutes = (path: string, method: string | null, host: string | null) => TemplatedRoute | null;

/** A trie over the document's paths: literal segments go before parameters, as the specification says; the path may stand behind a server's prefix. */
export function compileOpenApi(document: OpenApiDocument): OpenApiRoutes {
  const root = newNode();
  const paths = isJsonObject(document.paths) ? Object.keys(document.paths) : [];
  const { prefixes, hosts } = readServers(document);
  for (const path of paths) for (const prefix of prefixes) insert(root, prefix + path, path);
  return (path, _method, host) => {
    if (hosts.size > 0 && host !== null && !hosts.has(host)) return null;
    const segments = path.split('/').filter((segment) => segment !== '');
    return find(root, segments, 0);
  };
}

function newNode(): Node {
  return { literals: new Map(), parameter: null, route: null };
}

function insert(root: Node, path: string, route: string): void {
  let node = root;
  for (const segment of path.split('/')) {
    if (segment === '') continue;
    if (segment.includes('{')) {
      node.parameter ??= newNode();
      node = node.parameter;
    } else {
      let next = node.literals.get(segment);
      if (next === undefined) {
        next = newNode();
        node.literals.set(segment, next);
      }
      node = next;
    }
  }
  node.route ??= route;
}

/** Depth first, literals first; it goes back at most once per parameter, and no deeper than the document. */
function find(node: Node, segments: readonly string[], at: number): TemplatedRoute | null {
  if (at === segments.length) return node.route === null ? null : { route: node.route, objects: [] };
  const segment = segments[at]!;
  const literal = node.literals.get(segment);
  const found = literal === undefined ? null : find(literal, segments, at + 1);
  if (found !== null || node.parameter === null) return found;
  const behind = find(node.parameter, segments, at + 1);
  return behind === null ? null : { route: behind.route, objects: [segment, ...behind.objects] };
}

function readServers(document: OpenApiDocument): { prefixes: readonly string[]; hosts: ReadonlySet<string> } {
  const prefixes = new Set<string>(['']);
  const hosts = new Set<string>();
  if (typeof document.basePath === 'string') prefixes.add(document.basePath.replace(/\/$/, ''));
  const servers: readonly unknown[] = Array.isArray(document.servers) ? document.servers : [];
  for (const server of servers) {
    const url =
      isJsonObject(server) && typeof server.url === 'string'
        ? /^(?:https?:\/\/([^/:{}]+)(?::\d+)?)?(\/[^{}]*)?$/.exec(server.url)
        : null;
    if (url?.[1] !== undefined) hosts.add(url[1].toLowerCase());
    if (url?.[2] !== undefined) prefixes.add(url[2].replace(/\/$/, ''));
  }
  return { prefixes: [...prefixes], hosts };
}
