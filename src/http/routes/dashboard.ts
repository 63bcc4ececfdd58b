import type { HttpParts } from '../parts.ts';
import { HttpError, type Reply, type Route } from '../route.ts';

/** No markup of others, no inline script or style, nothing from elsewhere; text can become markup nowhere (trusted types: no policy is allowed). */
const policy = [
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'",
  "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
].join('; ');
const pageHeaders = { 'content-security-policy': policy, 'cache-control': 'no-cache', vary: 'accept-encoding' };
/** The name holds the hash of the content. */
const assetHeaders = { 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' };

/** The dashboard's files. They hold nothing but the program, so they are public; what it shows it asks for with the reader's own key. */
export function dashboardRoutes({ site }: Pick<HttpParts, 'site'>): readonly Route[] {
  const document = site.paths.map(
    (url): Route => ({
      method: 'GET',
      url,
      summary: 'The dashboard',
      access: 'public',
      isPage: true,
      replies: { 200: { description: 'An HTML document' } },
      handle: async ({ headers }) => answer(await site.document(String(headers['accept-encoding'] ?? '')), pageHeaders),
    }),
  );
  const asset: Route = {
    method: 'GET',
    url: '/assets/:name',
    summary: 'A file of the dashboard',
    access: 'public',
    isPage: true,
    params: { type: 'object', required: ['name'], properties: { name: { type: 'string', maxLength: 100 } } },
    replies: { 200: { description: 'The file' }, 404: { description: 'There is none of this name' } },
    handle: async ({ params, headers }) => {
      const found = await site.asset(params.name ?? '', String(headers['accept-encoding'] ?? ''));
      if (found === undefined) throw new HttpError(404, 'not-found', { message: 'there is no file of this name' });
      return answer(found, assetHeaders);
    },
  };
  return [...document, asset];
}

type File = NonNullable<Awaited<ReturnType<HttpParts['site']['asset']>>>;

function answer({ type, encoding, body }: File, headers: Readonly<Record<string, string>>): Reply {
  const encoded = encoding === 'identity' ? headers : { ...headers, 'content-encoding': encoding };
  return { status: 200, body, type, headers: encoded };
}
