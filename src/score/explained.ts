import { behaviourFamilies, families } from '../baseline/row-layout.ts';
import { featureNames } from '../feature/registry.ts';
import type { Judgement } from './scorer.ts';

const [context, patterns] = [families.indexOf('context'), families.indexOf('patterns')];
const behaviour = behaviourFamilies.map((name) => families.indexOf(name));
const newToday = featureNames.indexOf('patterns.new_today');
const ofContext = featureNames.flatMap((name, f) => (name.startsWith('context.') ? [f] : []));

/**
 * Leaves out of a judgement what a log-in explains of which the identity provider told: another place, another device, and that several such
 * things are new on one day. What the call does, how often, on what, and whether its session moves afterwards is judged as ever.
 */
export function leaveOutContext(
  judgement: Judgement,
  vector: { readonly out: Float32Array; readonly offset: number },
  pOf: (ratio: number) => number,
): void {
  const { out, offset } = vector;
  for (const f of ofContext) out[offset + f] = 0;
  judgement.statistics[context] = 0;
  // After an absence the family speaks through its other feature.
  if (out[offset + newToday]! > 0) judgement.statistics[patterns] = 0;
  out[offset + newToday] = 0;
  let ratio = 0;
  for (const family of behaviour) ratio += judgement.statistics[family]!;
  judgement.behaviourP = pOf(ratio);
  judgement.members[0] = judgement.behaviourP;
}
