import { decisionFields, fillPlaces, unknownFields } from '../core/place.ts';
import { checkTarget } from '../core/post.ts';
import { actions } from '../core/words.ts';
import { flag, integer, text, url } from './fields.ts';
import { Secret } from './secret.ts';
import { z } from './zod.ts';

/** A call to an identity provider (pipelines/actions has ready ones). Mistakes in its templates are named here, not at the first decision. */

const template = text.refine((value) => unknownFields(value).length === 0, {
  error: ({ input }) =>
    `knows no ${unknownFields(String(input)).join(', ')}; known are ${decisionFields.map((field) => `{{${field}}}`).join(', ')}`,
});

/** A field of the decision in the host would let whoever made the call choose whom we call. */
const address = template
  .refine((value) => URL.canParse(withText(value)), 'is not an http or https URL')
  .refine(
    (value) => /^https?:\/\/[^/?#{]+([/?][^#]*)?$/.test(value),
    'may hold fields behind the host only, and no fragment',
  );

/** What is no visible ASCII cannot be sent, and the error about it would show the value (a secret with a line break at its end). */
const headerValue = z
  .string()
  .regex(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/, 'must be visible ASCII, without a line break at its end')
  .transform((value) => new Secret(value));
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

const action = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be lower-case letters, digits and dashes'),
    on: z.array(z.enum(actions)).min(1),
    /** Only decisions about one session, or only those about all that an identity does; without it both. */
    scope: z.enum(['session', 'identity']).optional(),
    /** The `iss` whose people it is for; without it those of `ingest.homeIssuer`, or all where that is not set. */
    issuer: text.optional(),
    method: z.enum(['POST', 'PUT', 'PATCH', 'DELETE']).default('POST'),
    url: address,
    headers: z.record(headerName, headerValue).default({}),
    /** JSON with fields inside its strings. */
    body: template.refine((value) => isJson(withText(value)), 'is not JSON with fields inside its strings').optional(),
    /** Status codes that mean it is done, also by somebody else before (404 for a session that has ended). */
    success: z.array(integer(200, 499)).min(1).default([200, 201, 202, 204]),
    /** The client credentials grant (RFC 6749, 4.4); `extra` holds more form fields, such as `scope`. */
    token: z
      .strictObject({
        url,
        clientId: text,
        clientSecret: text.transform((value) => new Secret(value)),
        extra: z.record(z.string(), z.string()).default({}),
      })
      .optional(),
    /** Permits plain http to another machine. */
    allowInsecure: flag.default(false),
  })
  .superRefine(({ url: target, token, allowInsecure }, context) => {
    for (const [path, value] of [
      [['url'], withText(target)],
      [['token', 'url'], token?.url],
    ] as const) {
      if (value !== undefined && !isSafe(value, allowInsecure)) {
        const message = 'must begin with https://, or lead to this machine, and carry no user name';
        context.addIssue({ code: 'custom', path: [...path], message });
      }
    }
  });

/** The name is also that of the consumer group: two of one name would each get a part of the decisions. */
export const actionsSchema = z
  .array(action)
  .max(32)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two of them have the same name')
  .default([]);

function withText(value: string): string {
  return fillPlaces(value, () => 'x');
}

function isSafe(target: string, allowInsecure: boolean): boolean {
  try {
    checkTarget(target, allowInsecure);
    return true;
  } catch {
    return false;
  }
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
