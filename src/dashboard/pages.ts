/**
 * The dashboard's addresses. The server answers each with the same document, the browser shows the page by its name; `:id` is an id of its kind.
 * They are the links that alerts and reports may carry, so they do not change.
 */
export const pages = {
  overview: '/',
  incidents: '/incidents',
  incident: '/incidents/:id',
  findings: '/findings',
  finding: '/findings/:id',
  identities: '/identities',
  identity: '/identities/:id',
  decisions: '/decisions',
  detections: '/detections',
  ingest: '/ingest',
  settings: '/settings',
} as const;

export type PageName = keyof typeof pages;

/** The page of a path and its id; an id that is not well encoded is no page. */
export function pageOf(path: string): { readonly name: PageName; readonly id: string } | undefined {
  const [, first = '', id, ...rest] = path.split('/');
  const wanted = id === undefined ? `/${first}` : `/${first}/:id`;
  const name = (Object.keys(pages) as PageName[]).find((each) => pages[each] === wanted);
  if (name === undefined || id === '' || rest.length > 0) return undefined;
  try {
    return { name, id: decodeURIComponent(id ?? '') };
  } catch {
    return undefined;
  }
}
