/** Thirty numbers about one identity, as plain code would keep them. */
type Profile = {
  events: number;
  lastTs: number;
  minute: number;
  hour: number;
  day: number;
  gapMean: number;
  gapVariance: number;
  bytesMean: number;
  bytesVariance: number;
  durationMean: number;
  durationVariance: number;
  denied: number;
  missing: number;
  failed: number;
  lastPath: string;
  lastMethod: string;
  lastAgent: string;
  lastCountry: string;
  readonly hours: number[];
};

type Call = {
  readonly ts: number;
  readonly subject: string;
  readonly path: string;
  readonly method: string;
  readonly user_agent: string;
  readonly country: string;
  readonly status: number;
  readonly response_bytes: number;
  readonly duration_ms: number;
};

/**
 * What one would write in an afternoon: JSON.parse, a Map of objects, running means and variances, the largest deviation as the verdict.
 * No redaction, no templates, no peers, no calibration, no model, no findings, no order, no duplicates.
 */
export class Naive {
  readonly #profiles = new Map<string, Profile>();

  get identities(): number {
    return this.#profiles.size;
  }

  /** The largest deviation, in standard deviations. */
  score(record: Buffer): number {
    const call = JSON.parse(record.toString('utf8')) as Call;
    let profile = this.#profiles.get(call.subject);
    if (profile === undefined) {
      profile = newProfile(call);
      this.#profiles.set(call.subject, profile);
    }
    const gap = call.ts - profile.lastTs;
    const bytes = Math.log1p(call.response_bytes);
    const duration = Math.log1p(call.duration_ms);
    const z = Math.max(
      Math.abs(Math.log1p(gap) - profile.gapMean) / Math.sqrt(profile.gapVariance + 1e-3),
      Math.abs(bytes - profile.bytesMean) / Math.sqrt(profile.bytesVariance + 1e-3),
      Math.abs(duration - profile.durationMean) / Math.sqrt(profile.durationVariance + 1e-3),
      call.path === profile.lastPath || call.method === profile.lastMethod ? 0 : 1,
      call.user_agent === profile.lastAgent && call.country === profile.lastCountry ? 0 : 3,
    );
    learn(profile, call, [Math.log1p(gap), bytes, duration]);
    return z;
  }
}

function learn(profile: Profile, call: Call, [gap, bytes, duration]: readonly [number, number, number]): void {
  const elapsed = call.ts - profile.lastTs;
  const step = 1 / Math.min(100, ++profile.events);
  profile.minute = profile.minute * Math.exp(-elapsed / 60_000) + 1;
  profile.hour = profile.hour * Math.exp(-elapsed / 3_600_000) + 1;
  profile.day = profile.day * Math.exp(-elapsed / 86_400_000) + 1;
  const gapApart = gap - profile.gapMean;
  profile.gapMean += step * gapApart;
  profile.gapVariance = (1 - step) * (profile.gapVariance + step * gapApart * gapApart);
  const bytesApart = bytes - profile.bytesMean;
  profile.bytesMean += step * bytesApart;
  profile.bytesVariance = (1 - step) * (profile.bytesVariance + step * bytesApart * bytesApart);
  const durationApart = duration - profile.durationMean;
  profile.durationMean += step * durationApart;
  profile.durationVariance = (1 - step) * (profile.durationVariance + step * durationApart * durationApart);
  if (call.status === 401 || call.status === 403) profile.denied++;
  else if (call.status >= 500) profile.failed++;
  else if (call.status >= 400) profile.missing++;
  profile.hours[Math.floor(call.ts / 7_200_000) % 12]!++;
  profile.lastTs = call.ts;
  profile.lastPath = call.path;
  profile.lastMethod = call.method;
  profile.lastAgent = call.user_agent;
  profile.lastCountry = call.country;
}

function newProfile(call: Call): Profile {
  return {
    events: 0,
    lastTs: call.ts,
    minute: 0,
    hour: 0,
    day: 0,
    gapMean: 0,
    gapVariance: 0,
    bytesMean: 0,
    bytesVariance: 0,
    durationMean: 0,
    durationVariance: 0,
    denied: 0,
    missing: 0,
    failed: 0,
    lastPath: call.path,
    lastMethod: call.method,
    lastAgent: call.user_agent,
    lastCountry: call.country,
    hours: new Array<number>(12).fill(0),
  };
}
