import type { ActorKind } from '../core/words.ts';
import type { TrafficEvent } from '../event/traffic-event.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import type { Dice } from './dice.ts';

/**
 * The simulated world. In: a recipe and a seed. Out: canonical events in order of time, and labels of the incidents among them. Never in
 * here: a clock, data of real people, or a mark on an attack's events that ordinary events lack.
 *
 * Time passes through actors. An actor is a generator that yields the time (ms) at which it wants to go on; when it goes on,
 * `world.now` is that time and whatever it emits happens then. So events come out in order by construction, and memory is one actor
 * per persona or running incident. Sub-plans are joined with `yield*`:
 *
 *     function* (stage) {                                     // an incident: see IncidentRecipe
 *       const victim = stage.claim((p) => p.kind === 'human' && p.api.name === 'bank');
 *       if (victim === undefined) return;
 *       yield stage.startMs;
 *       const session = openSession(stage.world, victim, { place: placeIn(stage.world, 'datacenter', stage.dice) });
 *       for (const id of ids) {
 *         stage.emit(call(session, { route, object: id }));   // labelled; world.emit(...) is not
 *         yield stage.world.now + stage.dice.exponential(2_000);
 *       }
 *     }
 */
export type Actor = Generator<number, void, void>;

/** An event as a gateway would write it; fields that it does not know are left out. `ts` and `event_id` are set when it is emitted. */
export type WireEvent = { -readonly [Field in keyof TrafficEvent]?: TrafficEvent[Field] | undefined };

/** Who may hold an object: one identity, everyone in a tenant, or nobody in particular (a catalogue). */
export type Ownership = 'identity' | 'tenant' | 'shared';

/** The objects of one resource. Memory grows with personas, not with events: what each has is cut at `ownedMax` (the newest stay). */
export type Pool = {
  readonly name: string;
  readonly ids: 'numeric' | 'uuid' | 'slug';
  readonly ownership: Ownership;
  /** What the persona may call its own (its tenant's, or the catalogue), the likeliest first. Never empty. */
  readonly of: (persona: Persona) => readonly string[];
  /** Makes a new object of the persona's; numeric ids go up by one or a few from object to object. */
  readonly create: (persona: Persona) => string;
  /** Whether a numeric id is anybody's: about four of five are. False for other kinds of id, which nobody can guess. */
  readonly exists: (id: string) => boolean;
  /** An existing object that is not the persona's. */
  readonly foreign: (persona: Persona, dice: Dice) => string;
};

export type Action =
  | 'list'
  | 'search'
  | 'read'
  | 'create'
  | 'update'
  | 'delete'
  | 'export'
  | 'act'
  | 'detail'
  | 'sign-in'
  | 'renew'
  | 'health';

export type Route = {
  /** `resource.verb`, as tasks name it: `orders.read`, `orders.refund`, `auth.login`. */
  readonly name: string;
  readonly resource: string;
  readonly action: Action;
  readonly method: string;
  /** The API's, but in the mesh each service's own. */
  readonly host: string;
  /** `/v1/orders/{id}/items`. */
  readonly template: string;
  /** The resource's objects, also where the path has no `{id}` (create makes one of them); null when it has none. */
  readonly pool: Pool | null;
  /** Roles that are allowed; others are answered 403 by `call` unless told otherwise. */
  readonly roles: readonly string[];
  /** Scope that a token needs: `orders:read`, `orders:write`, `orders:admin`. */
  readonly scope: string;
  /** Median of the answer's bytes; releases change it. */
  bytes: number;
  /** Median of the duration, ms. */
  readonly durationMs: number;
  /** Rows that a list returns at the median; 0 when it returns one thing. */
  readonly rows: number;
  /** Classes of sensitive data in one row. */
  readonly sensitive: readonly string[];
  /** Nobody calls it before (a release brings it), or after. */
  sinceMs: number;
  untilMs: number;
};

/** A step of a task: the route, and how often it comes at a stretch. */
export type Step = { readonly route: Route; readonly times: 'once' | 'maybe' | 'some' | 'many' };

/** What somebody comes to do: a path through routes, mostly with one object from step to step. */
export type Task = {
  readonly name: string;
  readonly roles: readonly string[];
  readonly weight: number;
  readonly steps: readonly Step[];
};

export type ApiName = 'shop' | 'bank' | 'saas' | 'partner' | 'mesh';

export type Api = {
  readonly name: ApiName;
  readonly host: string;
  readonly routes: readonly Route[];
  readonly tasks: readonly Task[];
  /** By `resource.verb`. Throws for a name that is not there: a mistake in a recipe. */
  readonly route: (name: string) => Route;
  readonly roles: readonly string[];
  readonly scopesOf: (role: string) => readonly string[];
  /** Life of an access token; renewed by `auth.renew`. */
  readonly tokenSeconds: number;
  readonly says: Says;
  /** Share of calls answered 5xx now; an outage raises it. */
  errorShare: number;
};

/** What this API's gateway reports. */
export type Says = {
  readonly route: boolean;
  readonly geo: boolean;
  readonly tz: boolean;
  readonly ja4: boolean;
  readonly token: boolean;
};

/** A place's clock. `shift` is how daylight saving comes. */
export type Zone = { readonly name: string; offsetMinutes: number };

export type NetworkKind = 'home' | 'mobile' | 'office' | 'datacenter' | 'vpn' | 'internal';

export type Network = {
  readonly name: string;
  readonly kind: NetworkKind;
  readonly asn: number;
  readonly country: string;
  readonly city: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly zone: Zone;
  /** An address of this network. Mobile, office and VPN networks have few, shared by many (CGNAT, egress). */
  readonly address: (dice: Dice) => string;
};

/** Where somebody is. */
export type Place = { readonly network: Network; readonly ip: string };

/** A program on a machine. Versions move on by themselves (browsers update, apps are released). */
export type Device = {
  /** Set for apps only. */
  readonly id: string | null;
  readonly kind: 'browser' | 'app' | 'program';
  readonly userAgent: string;
  readonly ja4: string;
};

export type Tenant = { readonly name: string; readonly country: string; readonly office: Network; readonly zone: Zone };

/** How calls of a service or an attacker-to-be are authenticated. `user` has sessions and tokens of a person. */
export type Credential =
  | { readonly kind: 'user'; readonly subject: string }
  | { readonly kind: 'api-key'; readonly key: string; readonly consumer: string }
  | { readonly kind: 'oauth-client'; readonly clientId: string }
  | { readonly kind: 'mtls'; readonly subject: string; readonly service: string };

/** Taste and tempo: what makes one person's calls differ from another's with the same rights. Swap them, and the identity is taken over. */
export type Habits = {
  /** Weight per task of the API (same order). */
  readonly tasks: readonly number[];
  readonly callsPerSession: number;
  /** Median pause between calls, ms. */
  readonly thinkMs: number;
  /** Weight per hour of the week, local time, Monday 00:00 first; the largest is 1. */
  readonly week: ArrayLike<number>;
  /** Share of steps that leave the task for something else that the role may do. */
  readonly curiosity: number;
};

/**
 * When somebody comes: by chance in the hours of their week; every so many minutes; or each day (perhaps each working day) at a minute of the
 * local day. The last two are jobs, with a jitter in ms.
 */
export type Rhythm =
  | { readonly kind: 'week' }
  | { readonly kind: 'every'; readonly minutes: number; readonly jitterMs: number }
  | { readonly kind: 'daily'; readonly minuteOfDay: number; readonly weekdaysOnly: boolean; readonly jitterMs: number };

/** An identity with a life. What is mutable here changes in the course of ordinary life. */
export type Persona = {
  readonly index: number;
  readonly name: string;
  readonly kind: ActorKind;
  readonly api: Api;
  readonly tenant: Tenant;
  readonly credential: Credential;
  /** As identity-key.ts makes it from its authenticated calls. */
  readonly identity: IdentityKey;
  readonly dice: Dice;
  readonly zone: Zone;
  rhythm: Rhythm;
  habits: Habits;
  role: string;
  /** The first is the usual one. */
  devices: Device[];
  /** Usual places, the most usual first. */
  places: Place[];
  /** Sessions a day, on average; for services runs a day. */
  sessionsPerDay: number;
  /** The newest session, also when it has ended; null before the first. */
  session: Session | null;
  readonly startsMs: number;
  endsMs: number;
};

/** As in the access token. */
export type Token = {
  readonly id: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
  readonly scopes: readonly string[];
};

/** One sitting of somebody, or of somebody else with their credential: `{ ...session, place, device }` is a stolen one. */
export type Session = {
  readonly persona: Persona;
  readonly api: Api;
  readonly id: string | null;
  readonly authMs: number;
  readonly acr: string | null;
  readonly amr: readonly string[] | null;
  token: Token | null;
  device: Device;
  place: Place;
  role: string;
  /** Whose tastes steer it; the persona's own unless it was taken over. */
  habits: Habits;
  dice: Dice;
};

/** What a session means to do. All but the route has plausible defaults. */
export type Intention = {
  readonly route: Route;
  /** Id for the path. Default: one of the persona's own. */
  readonly object?: string | undefined;
  /** Default: success, with the ordinary share of 304, 404, 422 and 5xx; 403 when the role is not allowed. */
  readonly status?: number | undefined;
  /** Multiplies the answer's bytes and rows (a larger page, an export of everything). */
  readonly scale?: number | undefined;
  /** Names of query parameters. */
  readonly query?: string | undefined;
  /** Anything else that this call is to say, over what is worked out. */
  readonly also?: WireEvent | undefined;
};

export type Pace = 'fast' | 'slow';

/** What is written to labels.ndjson, while it happens. */
export type Incident = {
  readonly id: string;
  readonly recipe: string;
  readonly family: string;
  readonly kind: 'attack' | 'look-alike';
  readonly pace: Pace;
  readonly expected: readonly string[];
  /** Identity keys that a finding may name. Filled from the emitted events: the identity that gait will resolve, and who it claimed to be. */
  readonly identities: Set<IdentityKey>;
  readonly ids: string[];
  firstMs: number;
  lastMs: number;
};

/** What an incident is played with. */
export type Stage = {
  readonly world: World;
  readonly dice: Dice;
  readonly incident: Incident;
  /** When it should begin: after the warm-up, early enough to end within the span. */
  readonly startMs: number;
  /** Scales how much is done: events, objects, sources. 1 is the recipe's own idea. */
  readonly intensity: number;
  /** 0: takes no care; 1: hides as well as it can (the victim's country, a common program, human pauses). */
  readonly stealth: number;
  readonly pace: Pace;
  /**
   * A persona nobody else's incident has taken, active enough by default (`sessionsPerDay` above the median of its kind). Undefined when none fits
   * or the share of attacked identities is used up.
   */
  readonly claim: (fits: (persona: Persona) => boolean, also?: { readonly sparse: boolean }) => Persona | undefined;
  /** Emits and labels. */
  readonly emit: (event: WireEvent) => void;
};

/** An attack or a look-alike. Registered by name; a recipe file says how many and how strong. */
export type IncidentRecipe = {
  readonly name: string;
  readonly family: string;
  readonly kind: 'attack' | 'look-alike';
  readonly pace: Pace;
  /** Prefixes of feature names (`family.feature`), one of which must be among a finding's first three reasons. Empty for look-alikes. */
  readonly expected: readonly string[];
  /** One sentence for people. */
  readonly about: string;
  /** How long one usually takes, hours: it starts at least so long before the end. */
  readonly hours: number;
  readonly run: (stage: Stage) => Actor;
};

/** Labels every event of the ordinary traffic that it fits, while it is open: for changes of the world that befall many. */
export type Watch = {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly incident: Incident;
  readonly fits: (event: WireEvent) => boolean;
};

/** Scales how often people come for a while: a holiday, a campaign. */
export type Mood = { readonly fromMs: number; readonly untilMs: number; readonly factor: (persona: Persona) => number };

export type World = {
  readonly startMs: number;
  readonly endMs: number;
  /** Incidents begin after this. */
  readonly warmMs: number;
  readonly now: number;
  readonly dice: Dice;
  readonly apis: readonly Api[];
  readonly api: (name: ApiName) => Api;
  readonly tenants: readonly Tenant[];
  readonly zones: readonly Zone[];
  readonly networks: readonly Network[];
  readonly personas: readonly Persona[];
  /** Adds an actor; it runs up to its first yield when its turn comes, at `atMs` (default: now). */
  readonly play: (actor: Actor, atMs?: number) => void;
  /** Takes an event into the stream, now. Returns its id. */
  readonly emit: (event: WireEvent, incident?: Incident) => string;
  /** Adds a person or service in mid-life (a new employee, an attacker's own account) and lets it live. */
  readonly join: (persona: Persona) => void;
  readonly watch: (watch: Watch) => void;
  /** Factors above 4 are cut. */
  readonly moods: Mood[];
};
