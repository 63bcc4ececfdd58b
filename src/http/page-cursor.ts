import type { PageRequest } from './parts.ts';
import { HttpError, type JsonSchema } from './route.ts';

const limitMax = 500;

/** The query parameters that every list takes. */
export const pageParameters: JsonSchema = {
  limit: { type: 'integer', minimum: 1, maximum: limitMax, default: 50 },
  cursor: { type: 'string', maxLength: 512, description: '`next` of the page before' },
};

/**
 * A cursor is the place of the last item (time and id), not a page number: what is added meanwhile neither repeats nor hides anything.
 * Opaque to callers; one that we did not make is answered 400.
 */
export function readPage(query: Readonly<Record<string, string | number>>): PageRequest {
  const limit = Number(query.limit);
  if (query.cursor === undefined) return { limit, after: undefined };
  const [, at, id] =
    /^(-?\d{1,16}):(.{1,300})$/.exec(Buffer.from(String(query.cursor), 'base64url').toString('utf8')) ?? [];
  if (at === undefined || id === undefined)
    throw new HttpError(400, 'invalid-cursor', { message: 'cursor is not one of ours' });
  return { limit, after: { at: Number(at), id } };
}

/** null at the end of the list: a page that is not full is the last. */
export function nextCursor<T>(items: readonly T[], limit: number, place: (item: T) => string): string | null {
  const last = items.length < limit ? undefined : items.at(-1);
  return last === undefined ? null : Buffer.from(place(last), 'utf8').toString('base64url');
}

/** What a list answers. */
export function pageOf(name: string, items: JsonSchema): JsonSchema {
  return {
    type: 'object',
    required: [name, 'next'],
    properties: {
      [name]: { type: 'array', items },
      next: { type: ['string', 'null'], description: 'The cursor of the next page' },
    },
  };
}
