import { noun } from '../../core/noun.ts';
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

type Bucket = { readonly from: number; readonly to: number; readonly identities: number };

/** How many identities have which risk. Few have any, so heights are logarithms; the numbers stand above. */
export function RiskBars({ buckets }: { readonly buckets: readonly Bucket[] }) {
  const most = Math.max(1, ...buckets.map(({ identities }) => identities));
  const tall = (identities: number): number =>
    identities === 0 ? 0 : 4 + (Math.log1p(identities) / Math.log1p(most)) * 76;
  const step = 400 / Math.max(1, buckets.length);
  return (
    <svg
      class="riskbars"
      viewBox="0 0 400 128"
      role="img"
      aria-label={buckets.map(({ from, to, identities }) => `risk ${from} to ${to}: ${identities}`).join(', ')}
    >
      {buckets.map(({ from, identities }, i) => (
        <g key={from}>
          <rect
            class={`fill ${from >= 70 ? 'high' : from >= 35 ? 'medium' : 'low'}`}
            x={i * step + 2}
            width={step - 4}
            y={104 - tall(identities)}
            height={tall(identities)}
            rx="2"
          />
          {identities > 0 && (
            <text x={(i + 0.5) * step} y={98 - tall(identities)} text-anchor="middle">
              {figure(identities)}
            </text>
          )}
          <text class="axis" x={(i + 0.5) * step} y="121" text-anchor="middle">
            {from}
          </text>
        </g>
      ))}
    </svg>
  );
}

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const hours = Array.from({ length: 24 }, (_, hour) => hour);

/** Calls by day of the week and hour (UTC); the darker the more, by square root, so that a quiet hour differs from none. */
export function HeatMap({ calls }: { readonly calls: readonly (readonly number[])[] }) {
  const most = Math.max(1, ...calls.flat());
  return (
    <table class="heat">
      <caption class="unseen">Calls by day of the week and hour, UTC</caption>
      <thead>
        <tr>
          <td />
          {hours.map((hour) => (
            <th key={hour} scope="col">
              {hour % 3 === 0 ? hour : <span class="unseen">{hour}</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {days.map((day, i) => (
          <tr key={day}>
            <th scope="row">{day}</th>
            {hours.map((hour) => {
              const value = calls[i]?.[hour] ?? 0;
              return (
                <td
                  key={hour}
                  title={`${day} ${hour}:00, ${figure(value)} ${noun(value, 'call')}`}
                  style={{ '--heat': `${Math.sqrt(value / most) * 100}%` }}
                >
                  <span class="unseen">{figure(value)}</span>
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
