import type { Page } from '../paging.ts';
import { HttpError, type JsonSchema, type Reply, type Route } from '../route.ts';

export const id: JsonSchema = { type: 'string', minLength: 1, maxLength: 1024 };
export const idParams: JsonSchema = { type: 'object', required: ['id'], properties: { id } };
export const time: JsonSchema = { type: 'string', format: 'date-time' };
export const texts: JsonSchema = { type: 'array', items: { type: 'string' } };

/** The query of a list: what every list takes, and its own filters. A cursor that we did not make is refused. */
export function listQuery(filters: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 },
      cursor: { type: 'string', pattern: '^\\d{1,15}_.{1,300}$', description: '`next` of the page before' },
      since: { type: 'integer', minimum: 0, maximum: 8.64e15, description: 'Milliseconds since 1970' },
      identity: { ...id, description: 'kind:tenant:id' },
      ...filters,
    },
  };
}

export function pageSchema(name: string, row: JsonSchema): JsonSchema {
  return {
    type: 'object',
    required: [name, 'next'],
    properties: {
      [name]: { type: 'array', items: row },
      next: { type: ['string', 'null'], description: 'The cursor of the next page' },
    },
  };
}

export function answerPage(name: string, { rows, next }: Page): Reply {
  return { status: 200, body: { [name]: rows, next: next ?? null } };
}

type One = {
  readonly url: `${string}/:id${string}`;
  readonly summary: string;
  readonly access?: Route['access'];
  /** What the answer is, and its form. */
  readonly found: string;
  readonly schema: JsonSchema;
  readonly none?: string;
  readonly read: (id: string) => Promise<object | undefined>;
};

/** `GET` of one thing by its id. */
export function oneRoute({ url, summary, access = ['analyst'], found, schema, none, read }: One): Route {
  const missing = none ?? 'there is none of this id';
  return {
    method: 'GET',
    url,
    summary,
    access,
    params: idParams,
    replies: { 200: { description: found, schema }, 404: { description: missing } },
    handle: async ({ params }) => {
      const body = await read(params.id ?? '');
      if (body === undefined) throw new HttpError(404, 'not-found', { message: missing });
      return { status: 200, body };
    },
  };
}
