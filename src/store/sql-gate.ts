import { documentedViews } from './views.ts';

/**
 * What a question of a person may be made of. In: a statement as ClickHouse's own parser wrote it (`formatQuery`) and that parser's tree (`EXPLAIN AST`).
 * Out: the format it asks for, or why it is refused. Everything is on a list of what is allowed, kinds of tree nodes too: what a newer ClickHouse adds is refused
 * until somebody has looked at it. Never true: that this is the only barrier; the engine in process runs such questions with the rights of a reader (clickhouse.ts).
 */
export type SqlRefusal = { readonly code: number; readonly name: string; readonly message: string };
export type CheckedSql =
  | { readonly kind: 'ok'; readonly format: string | undefined }
  | ({ readonly kind: 'refused' } & SqlRefusal);

/** Names in lower case: functions and tables alike are compared without case, which can only refuse more. */
export type AllowedFunctions = { readonly plain: ReadonlySet<string>; readonly aggregate: ReadonlySet<string> };

type Node = { readonly kind: string; readonly rest: string; readonly depth: number; readonly children: Node[] };

/** Kinds of nodes that a question may hold. Left out on purpose: `Set` (settings), `ColumnsApplyTransformer` (hides the function it applies), all that writes or shows the server. */
const kinds = new Set([
  'ArrayJoin',
  'Asterisk',
  'ColumnsExceptTransformer',
  'ColumnsListMatcher',
  'ColumnsRegexpMatcher',
  'ColumnsReplaceTransformer',
  'ColumnsReplaceTransformer::Replacement',
  'ColumnsTransformerList',
  'ExpressionList',
  'Function',
  'Identifier',
  'InterpolateElement',
  'Literal',
  'OrderByElement',
  'QualifiedAsterisk',
  'QualifiedColumnsListMatcher',
  'QualifiedColumnsRegexpMatcher',
  'SampleRatio',
  'SelectIntersectExceptQuery',
  'SelectQuery',
  'SelectWithUnionQuery',
  'Subquery',
  'TableExpression',
  'TableIdentifier',
  'TableJoin',
  'TablesInSelectQuery',
  'TablesInSelectQueryElement',
  'WindowDefinition',
  'WindowListElement',
  'WithElement',
]);
/** Directly below the root stand the query's parts and its FORMAT (an Identifier); a Literal there is the file of INTO OUTFILE. */
const belowRoot = new Set([
  'ExpressionList',
  'Identifier',
  'SelectIntersectExceptQuery',
  'SelectWithUnionQuery',
  'TableExpression',
]);
const roots = new Set(['SelectWithUnionQuery', 'DescribeQuery', 'Explain']);
const explains = new Set([
  'EXPLAIN',
  ...['AST', 'SYNTAX', 'PLAN', 'PIPELINE', 'ESTIMATE'].map((of) => `EXPLAIN ${of}`),
]);
/** Not functions of the engine but of its grammar, and table functions that make numbers or hold what was written down. */
const grammar = ['_cast', 'lambda', 'exists', 'casewithexpression', 'numbers', 'values', 'sqlstandardvalues'];
/** Endings of aggregate functions: `sumIf`, `quantilesTDigestMerge`, `uniqArrayIf`. */
const combinator =
  /(?:if|array|distinct|orderby|ordefault|ornull|foreach|map|merge|mergestate|state|resample|argmin|argmax|simplestate)$/;
const inFunction = /^(?:global)?(?:not)?(?:null)?in(?:ignoreset)?$/;
const ownTable = /^(?:migrations|.*_v\d+(?:_mv)?|\.inner.*)$/;

/** Before the tree: what could make two statements of one, or lines of one line of the tree. */
export function checkText(formatted: string): SqlRefusal | undefined {
  const quoted = /'(?:[^'\\]|\\.|'')*'|`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"/gs;
  for (const [text] of formatted.matchAll(quoted)) {
    if (text[0] !== "'" && /[\\\p{C}]/u.test(text)) return denied('a name holds an escape or a control character');
  }
  const bare = formatted.replace(quoted, ' ');
  if (/['"`;]/.test(bare)) return denied('more than one statement');
  if (/\bOUTFILE\b/i.test(bare)) return denied('INTO OUTFILE');
  if (/\{\s*\w+\s*:\s*Identifier\s*\}/i.test(bare)) return denied('a parameter in the place of a name');
  return undefined;
}

export type Allowed = { readonly database: string; readonly functions: AllowedFunctions };

export function checkTree(tree: string, allowed: Allowed): CheckedSql {
  const root = parseTree(tree);
  if (root === undefined || !roots.has(root.kind)) return refuse('only SELECT, EXPLAIN and DESCRIBE are answered');
  if (root.kind === 'Explain' && !explains.has(nameOf(root))) return refuse(nameOf(root));
  for (const child of root.children) {
    const isExplainOption = root.kind === 'Explain' && child.kind === 'Set';
    if (!isExplainOption && !belowRoot.has(child.kind))
      return refuse(child.kind === 'Set' ? 'SETTINGS' : 'INTO OUTFILE');
    const fault = isExplainOption ? undefined : faultIn(child, allowed);
    if (fault !== undefined) return refuse(fault);
  }
  const format = root.children.find(({ kind }) => kind === 'Identifier');
  return { kind: 'ok', format: format && nameOf(format) };
}

function refuse(what: string): CheckedSql {
  return { kind: 'refused', ...denied(what) };
}

function denied(what: string): SqlRefusal {
  return { code: 497, name: 'ACCESS_DENIED', message: `not allowed here: ${what}` };
}

function faultIn(node: Node, allowed: Allowed): string | undefined {
  const fault = faultOf(node, allowed);
  if (fault !== undefined) return fault;
  for (const child of node.children) {
    const below = faultIn(child, allowed);
    if (below !== undefined) return below;
  }
  return undefined;
}

function faultOf(node: Node, { database, functions }: Allowed): string | undefined {
  if (!kinds.has(node.kind)) return node.kind === 'Set' ? 'SETTINGS' : node.kind;
  if (node.kind === 'TableIdentifier') return faultOfTable(nameOf(node), database);
  if (node.kind !== 'Function') return undefined;
  const name = nameOf(node).toLowerCase();
  if (!isAllowedFunction(name, functions)) return `the function ${nameOf(node).slice(0, 60)}`;
  if (!inFunction.test(name)) return undefined;
  // What stands to the right of IN may be the name of a table.
  for (const named of node.children.flatMap(({ children }) => children.slice(1))) {
    if (named.kind === 'Identifier' && nameOf(named).includes('.')) {
      const fault = faultOfTable(nameOf(named), database);
      if (fault !== undefined) return fault;
    } else if (named.kind === 'Identifier' && ownTable.test(nameOf(named).toLowerCase())) return nameOf(named);
  }
  return undefined;
}

/** A name without a database is a view, or something that the question itself named by WITH; the engine knows no other. */
function faultOfTable(name: string, database: string): string | undefined {
  const [first = '', second, ...more] = name.split('.');
  const isView = documentedViews.some((view) => view === (second ?? first));
  if (more.length === 0 && (second === undefined || first === database)) {
    if (isView || (second === undefined && !ownTable.test(first.toLowerCase()))) return undefined;
  }
  return `the table ${name.slice(0, 100)} (views to ask: ${documentedViews.join(', ')})`;
}

function isAllowedFunction(name: string, { plain, aggregate }: AllowedFunctions): boolean {
  if (plain.has(name) || aggregate.has(name) || grammar.includes(name)) return true;
  for (let base = name; combinator.test(base); ) {
    base = base.replace(combinator, '');
    if (aggregate.has(base)) return true;
  }
  return false;
}

/** `Function count (alias n) (children 1)` is `count`. A name that holds ` (` is cut there, and then is no name that exists. */
function nameOf(node: Node): string {
  return node.rest.split(' (', 1)[0]!;
}

/** One node per line, a blank for each level. Undefined when a line is none. */
function parseTree(text: string): Node | undefined {
  const path: Node[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, indent = '', kind = '', rest = ''] = /^( *)([\w:]+)(?: (.*))?$/s.exec(line) ?? [];
    const node: Node = { kind, rest, depth: indent.length, children: [] };
    if (kind === '' || node.depth > path.length || (node.depth === 0 && path.length > 0)) return undefined;
    path.length = node.depth;
    path.at(-1)?.children.push(node);
    path.push(node);
  }
  return path[0];
}

/** Categories of `system.functions` that only compute. */
const pureCategories = [
  'Arithmetic',
  'Arrays',
  'Bit',
  'Bitmap',
  'Comparison',
  'Conditional',
  'Dates and Times',
  'Distance',
  'Encoding',
  'Geo',
  'Geo Polygon',
  'Hash',
  'IP Address',
  'JSON',
  'Logical',
  'Map',
  'Mathematical',
  'Null',
  'Random Number',
  'Rounding',
  'String',
  'String Replacement',
  'String Search',
  'String Splitting',
  'Time Window',
  'Tuple',
  'Type Conversion',
  'URL',
  'UUID',
];
/** Of the other categories; the last line is what clients ask when they connect. */
const others = [
  ...['bar', 'byteSize', 'countDigits', 'finalizeAggregation', 'formatReadableQuantity', 'formatReadableSize'],
  ...['formatReadableTimeDelta', 'identity', 'ignore', 'materialize', 'neighbor', 'rowNumberInAllBlocks'],
  ...[
    'rowNumberInBlock',
    'runningDifference',
    'toTypeName',
    'transform',
    'grouping',
    'isNaN',
    'formatReadableDecimalSize',
  ],
  ...['currentDatabase', 'currentUser', 'revision', 'serverTimezone', 'timezone', 'version'],
];
/** In a category above, and not only computing. */
const notThese = ['chdb', 'generateSerialID', 'generateSnowflakeID'];

/** Reads the engine's own list once; an alias is what it stands for. */
export const functionsQuery = {
  sql: `SELECT lower(f.name) AS name, toUInt8(f.is_aggregate) AS is_aggregate FROM system.functions AS f
    LEFT JOIN system.functions AS t ON t.name = f.alias_to
    WHERE f.origin = 'System' AND f.name NOT IN {not:Array(String)} AND f.alias_to NOT IN {not:Array(String)}
      AND (f.is_aggregate OR f.name IN {others:Array(String)} OR if(f.alias_to = '', f.categories, t.categories) IN {categories:Array(String)})`,
  parameters: { not: notThese, others, categories: pureCategories },
};

export function allowedFunctions(
  rows: readonly { readonly name: string; readonly is_aggregate: number }[],
): AllowedFunctions {
  const named = (aggregate: number) =>
    new Set(rows.filter((row) => row.is_aggregate === aggregate).map((row) => row.name));
  return { plain: named(0), aggregate: named(1) };
}
