import { seededRandom } from '../../src/core/random.ts';

/**
 * Made-up traffic of an API in canonical JSON, about 350 bytes an event. Who calls follows Zipf's law with exponent 1; each caller has
 * its own routes, address, program and role, and leaves them now and then. The same seed gives the same bytes.
 */
export type TrafficOptions = {
  readonly identities: number;
  /** Of event time. */
  readonly eventsPerSecond: number;
  readonly startMs: number;
  readonly seed?: number;
};

const roles = ['customer', 'customer', 'customer', 'partner', 'support', 'admin'];
const nouns = [
  'orders',
  'invoices',
  'carts',
  'payments',
  'products',
  'reviews',
  'users',
  'sessions',
  'tickets',
  'files',
];
const tails = ['', '/items', '/history', '/status', '/notes', '/export.csv'];
const agents = [
  ...[120, 121, 122, 123].flatMap((version) => [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/${version}.0.0.0 Safari/537.36`,
    `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.${version % 7} Safari/605.1.15`,
  ]),
  ...[1, 2, 3].flatMap((minor) => [
    `okhttp/4.${minor}.0`,
    `python-requests/2.3${minor}.0`,
    `shop-app/5.${minor} (iPhone; iOS 17.4)`,
  ]),
];
const countries = ['DE', 'FR', 'NL', 'US', 'PL', 'GB', 'ES', 'IT'];
const errors = [400, 403, 404, 404, 429, 500, 503];
const hex = '0123456789abcdef';

export class Traffic {
  readonly #options: TrafficOptions;
  readonly #random;
  #made = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
  }

  /** Event time of the next event, ms. */
  get now(): number {
    return this.#options.startMs + Math.floor((this.#made * 1000) / this.#options.eventsPerSecond);
  }

  /** The next events, each as the bytes of one record. */
  take(count: number): Buffer[] {
    return Array.from({ length: count }, () => this.#record(this.#caller()));
  }

  /** One event of each of the callers from `first` on: what a service that has run for a while already knows. */
  introduce(first: number, count: number): Buffer[] {
    return Array.from({ length: count }, (_, i) => this.#record(first + i));
  }

  /** Zipf's law by inversion: ranks are spread over the callers by a step that has no divisor in common with their number. */
  #caller(): number {
    const { identities } = this.#options;
    const rank = Math.min(identities - 1, Math.floor((identities + 1) ** this.#random.next()) - 1);
    return (rank * 7_654_321 + 17) % identities;
  }

  #record(caller: number): Buffer {
    const next = (): number => this.#random.next();
    const pick = <T>(from: readonly T[], key: number): T => from[key % from.length]!;
    const own = mix(caller);
    const odd = next() < 0.01;
    const habit = odd ? Math.floor(next() * 1e6) : own + Math.floor(next() ** 2 * 12);
    const role = pick(roles, own >>> 4);
    const noun = pick(nouns, mix(habit));
    const tail = pick(tails, mix(habit) >>> 8);
    const method = tail !== '' || habit % 3 > 0 ? 'GET' : pick(['POST', 'PUT', 'DELETE', 'PATCH'], habit >>> 2);
    const id = habit % 4 === 0 ? this.#uuid() : String(Math.floor(next() * 1e6));
    const query = next() < 0.3 ? `?page=${Math.floor(next() * 9)}&sort=created` : '';
    const fails = next();
    const status =
      fails < 0.002 ? 401 : fails < 0.03 ? pick(errors, Math.floor(next() * 1e6)) : method === 'POST' ? 201 : 200;
    const ip = `${20 + (own % 180)}.${(own >>> 8) % 256}.${(own >>> 16) % 256}.${1 + Math.floor(next() * 3)}`;
    const text =
      `{"ts":${this.now},"event_id":"${this.#uuid()}","subject":"u-${caller}","client_id":"${pick(['web', 'ios', 'api'], own)}",` +
      `"client_ip":"${ip}","country":"${pick(countries, odd ? habit : own >>> 3)}","user_agent":"${pick(agents, odd ? habit : own >>> 6)}",` +
      `"method":"${method}","host":"api.shop.example","path":"/v1/${role}/${noun}/${id}${tail}${query}","status":${status},` +
      `"response_bytes":${Math.floor(200 + 4000 * next() ** 3)},"duration_ms":${Math.floor(5 + 300 * next() ** 4)},"roles":["${role}"]}`;
    this.#made++;
    return Buffer.from(text, 'latin1');
  }

  #uuid(): string {
    let text = '';
    for (let i = 0; i < 32; i += 8) {
      let bits = Math.floor(this.#random.next() * 2 ** 32);
      for (let k = 0; k < 8; k++, bits >>>= 4) text += hex[bits & 15]!;
    }
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
  }
}

function mix(key: number): number {
  const hash = Math.imul(key ^ (key >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
