import type { ApiName, Ownership, Pool, Says } from '../world.ts';

/**
 * Five APIs as tables of words; create-api.ts makes routes and tasks of them.
 *
 * Resource: `verbs` are list, search, read, create, update, delete, export; `word?` is a part of one object (GET /{id}/word), `word!` something done
 * to it (POST /{id}/word). `@a,b` names the roles that may; without it the resource's `roles`, and without these every role.
 *
 * Task: weight, roles, and steps in order. A step is `resource.verb`, then nothing (once), `?` (every other time), `+` (one or more) or `*` (several).
 */
export type ResourceSpec = {
  readonly ids?: Pool['ids'];
  readonly of?: Ownership;
  /** Bytes of one object at the median, and objects in a list. */
  readonly bytes: number;
  readonly rows?: number;
  readonly sensitive?: readonly string[];
  readonly roles?: string;
  readonly verbs: string;
};

export type ApiSpec = {
  readonly name: ApiName;
  readonly host: string;
  readonly prefix: string;
  readonly tokenMinutes: number;
  readonly roles: readonly string[];
  /** Work on other people's objects. */
  readonly staff: readonly string[];
  readonly says: Says;
  readonly resources: Readonly<Record<string, ResourceSpec>>;
  readonly tasks: readonly string[];
};

/** A gateway that reports all there is. */
export const everything: Says = { route: true, geo: true, tz: true, ja4: true, token: true };
