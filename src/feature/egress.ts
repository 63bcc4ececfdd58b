import { activeAt, tallyWindowsMs } from '../baseline/active-layout.ts';
import { gather } from '../baseline/statistics.ts';
import type { Family, Moment } from './family.ts';
import { pauseMs } from './session.ts';
import { succeeded, Tally } from './tally.ts';
import { judgeAnswer, largeAnswer } from './volume.ts';

/** Less than one large answer is no data leaving, even for who never took anything. In KiB; rows and sensitive values are counted from the first. */
const least = (moment: Moment, tally: number): number => (tally === 0 ? largeAnswer(moment) / 1024 : 0);

const tally = new Tally(
  'egress',
  (moment, _window, into) => {
    if (!succeeded(moment)) return;
    const { responseBytes, weight } = moment.observation;
    const { rows, sensitive } = moment.resolved.event;
    if (responseBytes > 0) into[0] = (weight * responseBytes) / 1024;
    if (rows !== null) into[1] = weight * rows;
    if (sensitive === null) return;
    for (const count of Object.values(sensitive)) into[2] = into[2]! + weight * count;
  },
  least,
);

const words = ['KiB received', 'rows or items received', 'sensitive values received'];

/** From this many nats on a run of larger answers is worth a word. */
const worthWords = 3;
/** The longer of the windows. */
const day = tallyWindowsMs.length - 1;
const run = { turn: 0, gathered: 0 };

/** What the session's answers, each against those of its function, say of more than usual in all of them, nats; before learning. */
function larger(moment: Moment): number {
  if (run.turn === moment.turn) return run.gathered;
  run.turn = moment.turn;
  const before = moment.gapMs < pauseMs ? moment.active.f32[moment.activeRow + activeAt.larger]! : 0;
  const judged = judgeAnswer(moment);
  const isAnswer = succeeded(moment) && moment.observation.responseBytes >= 0;
  run.gathered = isAnswer ? gather(before, judged.excess, judged.known) : before;
  return run.gathered;
}

/** Whether the day's answers, this one included, come to more than is nobody's business. */
function isMuch(moment: Moment): boolean {
  const { responseBytes, weight } = moment.observation;
  if (!succeeded(moment) || responseBytes <= 0) return false;
  return tally.soFar(moment, day, 0) + (weight * responseBytes) / 1024 > least(moment, 0);
}

/** How much left, over windows: a burst of large answers, or many ordinary ones; or many that are each a little larger than usual. D14. */
export const egress: Family = {
  name: 'egress',
  features: tally.names,
  extract: (moment, out, offset) => {
    const counted = tally.extract(moment, out, offset);
    const gathered = isMuch(moment) ? larger(moment) : 0;
    out[offset] = out[offset]! + gathered;
    return counted + gathered;
  },
  learn: (moment, weight) => {
    moment.active.f32[moment.activeRow + activeAt.larger] = larger(moment);
    tally.learn(moment, weight);
  },
  describe: (moment, feature) => {
    const isRun = feature === 0 && moment.active.f32[moment.activeRow + activeAt.larger]! >= worthWords;
    const note = () => (isRun ? ', in answers that are larger than usual for their functions' : '');
    return tally.describe(moment, feature, { name: (count) => `${count} ${words[feature]!}`, note });
  },
};
