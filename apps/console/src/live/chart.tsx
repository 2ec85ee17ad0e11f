import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { time } from '../format.ts';
import { useTheme } from '../shell/theme.ts';
import { type Plot, SHOWN } from './plots.ts';

interface ChartProps {
  title: string;
  /** What a value is of, in small behind the title. */
  unit?: string;
  plot: Plot;
  /** There are no halves of what is counted. */
  whole?: boolean;
  format(value: number | undefined): string;
}

const HEIGHT = 116;
/** Pointing at one chart points at the same second of all. */
const SYNC = 'live';
/** Seconds back in which the last value of a line with gaps is still told. */
const RECENT = 30;
const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6];
/** Values of a line that are shown as points. */
const FEW = 12;

/** Lines over the last five minutes, with the values of now, or of the second that is pointed at. */
export function Chart({ title, unit, plot, whole = false, format }: ChartProps) {
  const [at, setAt] = useState<number | null>(null);
  const values = plot.lines.map(({ values }) => (at === null ? latest(values) : (values[at] ?? undefined)));
  const pointedAt = at === null ? undefined : plot.times[at];
  const told = plot.lines.map(({ label }, index) => `${label} ${format(values[index])}`).join(', ');
  return (
    <figure className="chart">
      <figcaption>
        <h2>
          {title}
          <span className="muted">{unit}</span>
          <span className="fill" />
          {pointedAt !== undefined && <span className="muted">{time(pointedAt * 1000)}</span>}
        </h2>
        {plot.lines.length === 0 ? (
          <p className="values is-empty">none</p>
        ) : (
          <p className={`values${plot.lines.length > 2 ? ' is-many' : ''}`}>
            {plot.lines.map(({ label, colour }, index) => (
              <span key={label}>
                <strong>{format(values[index])}</strong>
                {plot.lines.length > 1 && (
                  <span className="label">
                    <i className={`swatch colour-${colour}`} aria-hidden="true" />
                    {label}
                  </span>
                )}
              </span>
            ))}
          </p>
        )}
      </figcaption>
      <Canvas
        plot={plot}
        label={`${title}${unit ? ` ${unit}` : ''}: ${told || 'none'}`}
        whole={whole}
        format={format}
        onPoint={setAt}
      />
    </figure>
  );
}

function latest(values: readonly (number | null)[]): number | undefined {
  return values.slice(-RECENT).findLast(value => value !== null) ?? undefined;
}

interface CanvasProps {
  plot: Plot;
  label: string;
  whole: boolean;
  format(value: number | undefined): string;
  onPoint(index: number | null): void;
}

function Canvas({ plot, label, whole, format, onPoint }: CanvasProps) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const theme = useTheme();
  const shape = plot.lines.map(line => `${line.label} ${line.colour}`).join();
  const point = useRef(onPoint);
  point.current = onPoint;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are the theme's, the lines those of the shape.
  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = new uPlot(
      optionsOf(element, plot, { whole, format, onPoint: index => point.current(index) }),
      dataOf(plot),
      element,
    );
    chart.current = made;
    const resize = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      made.destroy();
    };
  }, [theme, shape]);

  useEffect(() => chart.current?.setData(dataOf(plot)), [plot]);
  return <div ref={host} className="canvas" role="img" aria-label={label} />;
}

function dataOf({ times, lines }: Plot): uPlot.AlignedData {
  return [times, ...lines.map(({ values }) => values)];
}

function optionsOf(
  host: HTMLElement,
  { lines }: Plot,
  { whole, format, onPoint }: Pick<CanvasProps, 'whole' | 'format' | 'onPoint'>,
): uPlot.Options {
  const axis = colourOf(host, '--muted');
  const grid = { stroke: colourOf(host, '--line'), width: 1 };
  const font = `11px ${getComputedStyle(host).fontFamily}`;
  return {
    width: Math.max(host.clientWidth, 100),
    height: HEIGHT,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, sync: { key: SYNC }, points: { size: 6 } },
    scales: {
      x: { range: (_chart, _min, max) => [max - SHOWN, max] },
      y: { range: (_chart, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      {
        ...{ stroke: axis, font, size: 22, gap: 4, grid: { show: false }, ticks: { show: false } },
        splits: (_chart, _axis, min, max) =>
          [60, 120, 180, 240].map(back => max - back).filter(at => at > min),
        values: (chart, splits) =>
          splits.map(at => `−${Math.round(((chart.scales['x']?.max ?? at) - at) / 60)} min`),
      },
      {
        ...{ stroke: axis, font, size: 50, gap: 6, grid, ticks: { show: false }, space: 34 },
        ...(whole ? { incrs: WHOLE_STEPS } : {}),
        values: (_chart, splits) => splits.map(value => (value === 0 ? '0' : withoutZeros(format(value)))),
      },
    ],
    series: [{}, ...lines.map(line => seriesOf(host, line.colour, lines.length === 1))],
    hooks: { setCursor: [chart => onPoint(chart.cursor.idx ?? null)] },
  };
}

function seriesOf(host: HTMLElement, colour: number, filled: boolean): uPlot.Series {
  const stroke = colourOf(host, `--s${colour}`);
  return {
    ...{ stroke, width: 1.5, spanGaps: true },
    // A line needs two; where there are few, each is to be seen.
    points: { size: 4, fill: stroke, show: (chart, at) => valuesIn(chart.data[at]) < FEW },
    ...(filled ? { fill: colourOf(host, `--s${colour}-soft`) } : {}),
  };
}

/** `2.00 s` → `2 s`, `$50.00` → `$50`. */
function withoutZeros(text: string): string {
  return text.replace(/\.0+(?=\D|$)/, '');
}

function valuesIn(values: ArrayLike<number | null | undefined> = []): number {
  return Array.from(values).filter(value => value != null).length;
}

/** A colour of the theme, as a canvas takes it. */
function colourOf(host: HTMLElement, variable: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${variable})`;
  host.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
