import { hash32 } from '../core/hash.ts';
import { Dice } from './dice.ts';
import type { Ownership, Persona, Pool } from './world.ts';

/** Objects that one owner is known by: the newest stay. */
const ownedMax = 40;
/** What everybody's newest objects are, for staff, who work on other people's. */
const recentMax = 64;
/** A catalogue's size. */
const sharedCount = 400;
const slugWords =
  'amber basic classic delta early fresh grand happy indigo jolly kind light modern north ocean prime quiet river solid tiny'.split(
    ' ',
  );

export type PoolOptions = {
  readonly name: string;
  readonly ids: Pool['ids'];
  readonly ownership: Ownership;
  readonly seed: string;
  /** Roles that work on other people's objects. */
  readonly staff: readonly string[];
};

/**
 * Objects by owner. What there was before the beginning lies scattered over a range of ids; new ones are numbered upwards. Whether a number is taken is
 * a hash of it, so that nobody has to keep a list of all objects.
 */
export function createPool(options: PoolOptions): Pool {
  const { name, ids, ownership, staff } = options;
  const first = 10_000 + (hash32(name) % 80) * 1000;
  const span = 60_000;
  let next = first + span;
  const owned = new Map<string, string[]>();
  const owners: string[] = [];
  const recent: string[] = [];
  const dice = new Dice(`${options.seed}/pool/${name}`);

  const isTaken = (number: number): boolean => number >= first && number < next && hash32(`${name}${number}`) % 5 !== 0;
  const initial = (from: Dice): string => {
    if (ids === 'uuid') return from.uuid();
    if (ids === 'slug') return `${from.pick(slugWords)}-${from.pick(slugWords)}-${name.slice(0, 4)}`;
    for (;;) {
      const number = first + from.int(span);
      if (isTaken(number)) return String(number);
    }
  };
  const ownerOf = (persona: Persona): string => {
    if (ownership === 'shared') return '*';
    return ownership === 'tenant' ? persona.tenant.name : String(persona.index);
  };
  const listOf = (owner: string): string[] => {
    const known = owned.get(owner);
    if (known !== undefined) return known;
    const own = dice.fork(owner);
    const count =
      ownership === 'shared' ? sharedCount : ownership === 'tenant' ? ownedMax : Math.min(ownedMax, own.geometric(5));
    const list = [...new Set(Array.from({ length: count }, () => initial(own)))];
    owned.set(owner, list);
    owners.push(owner);
    return list;
  };
  const number = (from: Dice): string => {
    do next += 1 + from.int(2);
    while (!isTaken(next - 1));
    return String(next - 1);
  };

  return {
    name,
    ids,
    ownership,
    of: (persona) =>
      ownership === 'identity' && staff.includes(persona.role) && recent.length > 0 ? recent : listOf(ownerOf(persona)),
    create: (persona) => {
      const id =
        ids === 'numeric' ? number(persona.dice) : ids === 'uuid' ? persona.dice.uuid() : initial(persona.dice);
      for (const list of [listOf(ownerOf(persona)), recent]) {
        list.unshift(id);
        list.length = Math.min(
          list.length,
          list === recent ? recentMax : ownership === 'shared' ? sharedCount : ownedMax,
        );
      }
      return id;
    },
    exists: (id) => ids === 'numeric' && isTaken(Number(id)),
    foreign: (persona, from) => {
      const own = listOf(ownerOf(persona));
      for (let tries = 0; tries < 20; tries++) {
        const id = ids === 'numeric' ? initial(from) : from.pick(listOf(from.pick(owners)));
        if (!own.includes(id)) return id;
      }
      return ids === 'slug' ? from.pick(own) : initial(from);
    },
  };
}
