import type { Logger } from '../config/logging.ts';
import { GaitError } from '../core/errors.ts';
import { HttpError, type Reply } from './route.ts';

/** On every answer, errors included, that has a body. */
export const securityHeaders = {
  'content-security-policy': "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** Where there is no body, there is nothing to run, to frame or to sniff; a gateway is answered so before every call, and reads each line. */
export const emptyHeaders = { 'cache-control': 'no-store' } as const;

export const jsonType = 'application/json; charset=utf-8';

export type ErrorAnswer = (error: unknown, route: string | undefined) => Reply & { readonly body: object };

/** What the caller is told of an error; what failed here is told to the log in full. */
export function createErrorAnswer(logger: Logger): ErrorAnswer {
  return (error, route) => {
    const { status, code, message, headers } = asHttpError(error);
    if (status >= 500) logger.error({ err: error, route }, 'request failed');
    return { status, headers, body: { error: { code, message } } };
  };
}

/** Of our own failures only whether it is worth coming back. */
function asHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof GaitError) {
    if (error.code === 'USAGE') return new HttpError(400, 'invalid-request', { message: error.message });
    if (error.retriable)
      return new HttpError(503, 'unavailable', {
        message: 'a part is away for the moment',
        headers: { 'retry-after': '5' },
      });
  }
  const { code, statusCode, validation, message } = error as {
    code?: string;
    statusCode?: number;
    validation?: readonly {
      readonly params?: { readonly allowedValues?: readonly unknown[]; readonly additionalProperty?: string };
    }[];
    message?: string;
  };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new HttpError(413, 'body-too-large', { message: 'the body is larger than what is taken here' });
  }
  if (validation !== undefined) {
    const { allowedValues, additionalProperty } = validation[0]?.params ?? {};
    const which = allowedValues?.join(', ') ?? additionalProperty;
    const said = message ?? 'the request is not valid';
    return new HttpError(400, 'invalid-request', { message: which === undefined ? said : `${said}: ${which}` });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new HttpError(statusCode, 'invalid-request', { message: 'the request is not valid' });
  }
  return new HttpError(500, 'internal', { message: 'something failed here; the log says what' });
}
