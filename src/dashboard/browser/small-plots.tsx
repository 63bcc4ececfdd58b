import type { ReasonRow } from './rows.ts';
import { figure } from './words.ts';

/** Plots of one line, drawn as SVG: no canvas, so they scale and print, and their words are text. */
const width = 260;
const height = 34;
const middle = 17;
const margin = 6;

/** Beyond this ratio a linear scale would show the usual range as a dot. */
const logRatio = 12;

/** What was seen against what is usual: the range that holds 90 % of the baseline's predictions, the expected value and the observed one. */
export function ObservedPlot({ reason }: { readonly reason: ReasonRow }) {
  const { observed, expected } = reason;
  if (typeof observed !== 'number' || typeof expected !== 'number') return <Words reason={reason} />;
  const low = reason.low ?? expected;
  const high = reason.high ?? expected;
  const values = [observed, expected, low, high];
  const isLog = Math.min(...values) >= 0 && Math.max(...values) > logRatio * Math.max(high, 0.01);
  const scale = scaleOf(values, isLog);
  const usual = `${figure(low)} to ${figure(high)}`;
  return (
    <figure class="observed">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`observed ${figure(observed)}, usual ${usual}, expected ${figure(expected)}`}
      >
        <line class="axis" x1={margin} x2={width - margin} y1={middle} y2={middle} />
        <rect
          class="range"
          x={scale(low)}
          width={Math.max(3, scale(high) - scale(low))}
          y={middle - 6}
          height="12"
          rx="3"
        />
        <line class="expected" x1={scale(expected)} x2={scale(expected)} y1={middle - 10} y2={middle + 10} />
        <circle class="dot" cx={scale(observed)} cy={middle} r="5" />
      </svg>
      <figcaption>
        <span>
          <b class="number odd">{figure(observed)}</b> seen
        </span>
        <span class="soft">
          usual <span class="number">{usual}</span>
          {isLog && ' · log scale'}
        </span>
      </figcaption>
    </figure>
  );
}

function scaleOf(values: readonly number[], isLog: boolean): (value: number) => number {
  const bend = (value: number): number => (isLog ? Math.log1p(value) : value);
  const from = Math.min(0, ...values.map(bend));
  const to = Math.max(...values.map(bend), from + 1e-9);
  return (value) => margin + ((bend(value) - from) / (to - from)) * (width - 2 * margin);
}

function Words({ reason: { observed, expected } }: { readonly reason: ReasonRow }) {
  return (
    <dl class="observed words">
      <div>
        <dt>seen</dt>
        <dd class="odd">{typeof observed === 'number' ? figure(observed) : observed}</dd>
      </div>
      {expected !== undefined && expected !== '' && (
        <div>
          <dt>usual</dt>
          <dd>{typeof expected === 'number' ? figure(expected) : expected}</dd>
        </div>
      )}
    </dl>
  );
}

/** How much of the score a reason is. */
export function ShareBar({ share }: { readonly share: number }) {
  return (
    <svg class="share" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="rail" width="100" height="4" />
      <rect class="fill" width={Math.min(100, Math.max(1, share * 100))} height="4" />
    </svg>
  );
}
