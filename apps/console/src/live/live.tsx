import { useMemo, useState } from 'react';
import type { ConsoleState } from '../feed/state.ts';
import { count, duration, rate, usd } from '../format.ts';
import { Chart } from './chart.tsx';
import { Circuits } from './circuits.tsx';
import { Nodes } from './nodes.tsx';
import { namesIn, plotsOf, type Scope } from './plots.ts';

export function Live({ data }: { data: ConsoleState }) {
  const [scope, setScope] = useState<Scope>({ of: 'all' });
  const plots = useMemo(() => plotsOf(data.samples, scope), [data.samples, scope]);
  const isInScope = ({ provider }: { provider: string }) =>
    scope.of !== 'providers' || scope.name === provider;
  return (
    <div className="live">
      <div className="view-head">
        <h1>Live</h1>
        <p className="muted">
          The last five minutes{data.hello && ` of ${data.hello.replica}, version ${data.hello.version}`}.
          Calls count when they end.
        </p>
        <span className="fill" />
        <ScopeField data={data} scope={scope} onChange={setScope} />
      </div>
      <section className="charts" aria-label="Charts">
        <Chart title="Requests" unit="per second" plot={plots.requests} format={rate} />
        <Chart title="Tokens" unit="per second" plot={plots.tokens} format={rate} />
        <Chart title="Latency" unit="mean of ten seconds" plot={plots.latency} format={duration} />
        <Chart
          title="Time to first token"
          unit="mean of ten seconds"
          plot={plots.firstToken}
          format={duration}
        />
        <Chart title="Cost" unit="per hour, at the last minute’s pace" plot={plots.cost} format={usd} />
        <Chart title="Errors" unit="in a minute" whole plot={plots.errors} format={count} />
        <Chart title="Fallbacks and cache hits" unit="in a minute" whole plot={plots.events} format={count} />
        {plots.open && <Chart title="Calls under way" whole plot={plots.open} format={count} />}
      </section>
      <Nodes nodes={data.nodes.filter(isInScope)} />
      <Circuits circuits={data.circuits.filter(isInScope)} />
    </div>
  );
}

const GROUPS = [
  ['providers', 'Provider'],
  ['agents', 'Agent'],
  ['keys', 'Key'],
] as const;

interface ScopeFieldProps {
  data: ConsoleState;
  scope: Scope;
  onChange(scope: Scope): void;
}

function ScopeField({ data: { samples, hello }, scope, onChange }: ScopeFieldProps) {
  const names = useMemo(() => {
    const seen = namesIn(samples);
    const merged = (some: readonly string[] = [], more: readonly string[] = []) =>
      [...new Set([...some, ...more])].sort();
    return {
      providers: merged(hello?.providers, seen.providers),
      agents: seen.agents,
      keys: merged(hello?.keys, seen.keys),
    };
  }, [samples, hello]);
  const value = scope.of === 'all' ? 'all' : `${scope.of}/${scope.name}`;
  const choose = (chosen: string) => {
    const [of, ...name] = chosen.split('/');
    const group = GROUPS.find(([dimension]) => dimension === of)?.[0];
    onChange(group ? { of: group, name: name.join('/') } : { of: 'all' });
  };
  return (
    <label className="scope">
      <span>Calls of</span>
      <select value={value} onChange={event => choose(event.target.value)}>
        <option value="all">everybody</option>
        {GROUPS.map(([of, label]) => (
          <optgroup key={of} label={label}>
            {[...new Set([...names[of], ...(scope.of === of ? [scope.name] : [])])].map(name => (
              <option key={name} value={`${of}/${name}`}>
                {name}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </label>
  );
}
