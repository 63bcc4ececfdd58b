import UPlot from 'uplot';
import { useEffect, useRef } from './preact.ts';
import { clockTime, figure } from './words.ts';

/** The only file that knows uPlot. Lines and points over time; colours come from the style sheet's variables, so a plot follows light and dark. */
export type Series = {
  readonly label: string;
  /** A variable of the style sheet, as `--accent`. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  readonly form?: 'line' | 'points' | 'bars';
};

type Props = {
  /** What the plot shows, for those who do not see it. */
  readonly label: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly height?: number;
  readonly max?: number;
  readonly onPick?: (index: number) => void;
};

export function Plot({ label, times, series, height = 180, max, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const pick = useRef(onPick);
  pick.current = onPick;
  useEffect(() => {
    const element = box.current!;
    let plot: UPlot | undefined;
    const draw = (): void => {
      plot?.destroy();
      plot = new UPlot(optionsOf({ element, series, height, max }), dataOf(times, series), element);
      plot.over.addEventListener('click', () => {
        const { idx } = plot?.cursor ?? {};
        if (typeof idx === 'number') pick.current?.(idx);
      });
    };
    draw();
    let width = element.clientWidth;
    const resized = new ResizeObserver(() => {
      if (element.clientWidth === width || element.clientWidth === 0) return;
      width = element.clientWidth;
      plot?.setSize({ width, height });
    });
    resized.observe(element);
    // Colours are read once, so a change between light and dark draws anew.
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    const themed = new MutationObserver(draw);
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      resized.disconnect();
      themed.disconnect();
      scheme.removeEventListener('change', draw);
      plot?.destroy();
    };
  }, [times, series, height, max]);
  return <div class="plot" ref={box} role="img" aria-label={label} />;
}

function dataOf(times: readonly number[], series: readonly Series[]): UPlot.AlignedData {
  return [times, ...series.map(({ values }) => values)] as UPlot.AlignedData;
}

type Drawn = {
  readonly element: HTMLElement;
  readonly series: readonly Series[];
  readonly height: number;
  readonly max: number | undefined;
};

/** Times of day, in seconds or their tenths where the steps between them are; the date below where the day begins anew. */
function axisTimes(splits: readonly number[]): string[] {
  const [first = 0, second = first + 60] = splits;
  const letters = second - first < 1 ? 10 : second - first < 60 ? 8 : 5;
  let day = '';
  return splits.map((at) => {
    const [date = '', time = ''] = new Date(at * 1000).toISOString().split('T');
    const isSameDay = date === day;
    day = date;
    return isSameDay ? time.slice(0, letters) : `${time.slice(0, letters)}\n${date}`;
  });
}

/** A canvas knows no variables and no light-dark(): the style sheet is asked what it means now. */
function colorOf(element: HTMLElement, name: string): string {
  const probe = element.appendChild(document.createElement('i'));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function optionsOf({ element, series, height, max }: Drawn): UPlot.Options {
  const color = (name: string): string => colorOf(element, name);
  const grid = { stroke: color('--line'), width: 1 };
  const axis = { stroke: color('--soft'), grid, ticks: grid, font: '11px system-ui, sans-serif' };
  return {
    width: Math.max(120, element.clientWidth),
    height,
    tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    legend: { live: true },
    cursor: { drag: { x: false, y: false }, points: { size: 7 } },
    scales: {
      // One moment alone has no span, and uPlot would make it years.
      x: { range: ({ data: [at] }, low, high) => (at.length === 1 ? [low - 1800, low + 1800] : [low, high]) },
      y: { range: (_plot, _low, high) => [0, max ?? Math.max(1, (high ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, values: (_plot, splits) => axisTimes(splits) },
      { ...axis, size: 46, values: (_plot, values) => values.map((value) => figure(value)) },
    ],
    series: [
      { label: 'UTC', value: (_plot, at) => (at === null ? '–' : clockTime(new Date(at * 1000).toISOString())) },
      ...series.map((each) => seriesOf(each, color(each.color))),
    ],
  };
}

function seriesOf({ label, form = 'line', values }: Series, color: string): UPlot.Series {
  const value: UPlot.Series['value'] = (_plot, shown) => (shown === null ? '–' : figure(shown));
  const base = { label, stroke: color, value, width: 1.5 };
  if (form === 'points') return { ...base, paths: () => null, points: { show: true, size: 6, fill: color, width: 1 } };
  if (form === 'bars')
    return { ...base, fill: color, paths: UPlot.paths.bars!({ size: [0.8, 30] }), points: { show: false } };
  const points = { show: values.length === 1, size: 6, fill: color };
  return { ...base, fill: color.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.12)'), points };
}
