import { duration } from '../format.ts';
import type { Phase, Timeline, Track } from './timeline.ts';

const PHASES: Record<Phase, string> = {
  queue: 'waits for a slot',
  wait: 'until the first token',
  stream: 'stream',
  failed: 'failed',
  cache: 'from the cache',
  open: 'under way',
};

/** Those that are no failure of the provider's. */
const OUTCOMES: Readonly<Record<string, string>> = { ok: 'ok', aborted: 'muted' };

/** The time line of a call: a track for each try. */
export function Gantt({ timeline: { totalMs, tracks } }: { timeline: Timeline }) {
  const phases = [...new Set(tracks.flatMap(({ segments }) => segments.map(({ phase }) => phase)))];
  return (
    <div className="gantt">
      <ol>
        {tracks.map((track, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: tries keep their places.
          <li key={index}>
            <TrackHead track={track} />
            <Bars track={track} totalMs={totalMs} />
            {track.message && <p className="muted message">{track.message}</p>}
          </li>
        ))}
      </ol>
      <div className="scale" aria-hidden="true">
        <span>0</span>
        <span>{duration(totalMs / 2)}</span>
        <span>{duration(totalMs)}</span>
      </div>
      <ul className="legend" aria-hidden="true">
        {phases.map(phase => (
          <li key={phase}>
            <i className={`phase phase-${phase}`} />
            {PHASES[phase]}
          </li>
        ))}
      </ul>
    </div>
  );
}

function TrackHead({ track: { label, outcome } }: { track: Track }) {
  return (
    <div className="track-head">
      <span>{label}</span>
      <span className="fill" />
      {outcome !== undefined && <span className={OUTCOMES[outcome] ?? 'bad'}>{outcome}</span>}
    </div>
  );
}

function Bars({ track, totalMs }: { track: Track; totalMs: number }) {
  const told = track.segments.map(({ phase, from, to }) => `${PHASES[phase]} ${duration(to - from)}`);
  return (
    <div className="bars" role="img" aria-label={told.join(', ') || 'no time at all'}>
      <Segments track={track} totalMs={totalMs} />
    </div>
  );
}

function Segments({ track, totalMs }: { track: Track; totalMs: number }) {
  const share = (ms: number) => `${(100 * ms) / (totalMs || 1)}%`;
  return track.segments.map(({ phase, from, to }) => (
    <i
      key={`${phase} ${from}`}
      className={`phase phase-${phase}`}
      title={`${PHASES[phase]}: ${duration(to - from)}`}
      style={{ left: share(from), width: share(to - from) }}
    />
  ));
}

/** The same in one thin line, for a list. */
export function MiniGantt({ timeline: { totalMs, tracks } }: { timeline: Timeline }) {
  return (
    <span className="mini-gantt" aria-hidden="true">
      {tracks.map((track, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: tries keep their places.
        <Segments key={index} track={track} totalMs={totalMs} />
      ))}
    </span>
  );
}
