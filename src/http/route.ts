import type { Readable } from 'node:stream';
import type { KeyRole } from '../config/config-schema.ts';

/** A route as data, so that only server.ts knows the framework, and the OpenAPI document and the access rules cannot miss one. */
export type Route = {
  /** `ANY`: a question about a call of somebody else's, asked with that call's own method. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'ANY';
  readonly url: string;
  readonly summary: string;
  /** Any one of these is enough (`admin` always is); `public` asks for no key at all. */
  readonly access: 'public' | readonly KeyRole[];
  /** A file for browsers, so no part of the API and of its document. */
  readonly isPage?: boolean;
  /** An enforcement point asks: the headers are those of the call, and the key comes in X-Gait-Key. */
  readonly isEnforcement?: boolean;
  /** Clients of ClickHouse ask: the key may come in X-ClickHouse-Key or as the password of HTTP Basic. Nothing that writes may say so. */
  readonly isClickHouse?: boolean;
  /** As CrowdSec's local API does it: without a valid key the answer is 403. */
  readonly isLapi?: boolean;
  readonly query?: JsonSchema;
  readonly params?: JsonSchema;
  /** Media types and what they hold. */
  readonly body?: Readonly<Record<string, JsonSchema>>;
  /** Where it is other than 64 KiB. */
  readonly bodyBytesMax?: number;
  readonly replies: Readonly<Record<number, ReplyDescription>>;
  /** Asked with the headers alone, before a byte of the body is read. Throws a HttpError, or returns what the request holds until it is over. */
  readonly admit?: (headers: Headers) => Lease;
  readonly handle: (request: Request) => Reply | Promise<Reply>;
};

export type JsonSchema = Readonly<Record<string, unknown>>;
export type ReplyDescription = { readonly description: string; readonly schema?: JsonSchema };
/** Names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export type Request = {
  readonly headers: Headers;
  readonly method: string;
  /** As it came, with the query. */
  readonly url: string;
  /** The name of the caller's key; `local` where none is asked for. */
  readonly caller: string;
  /** The address that asks. */
  readonly from: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | number>>;
  /** As received, so possibly compressed; empty for GET. */
  readonly body: Buffer;
  readonly lease: Lease | undefined;
};

/** An object is sent as JSON; a text, a Buffer and a stream as `type` says. */
export type Reply = {
  readonly status: number;
  readonly body: object | string | Readable;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A share of something scarce; it is given back when everyone who retained it has released it. */
export type Lease = { readonly retain: () => void; readonly release: () => void };

/** An answer that is an error. The message goes to the caller, so it holds nothing of ours. */
export class HttpError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, details: { message: string; headers?: Readonly<Record<string, string>> }) {
    super(details.message);
    this.status = status;
    this.code = code;
    this.headers = details.headers ?? {};
  }
}
