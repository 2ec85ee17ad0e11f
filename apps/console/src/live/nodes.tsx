import type { NodeCard } from '../contract.ts';
import { count, duration, percent } from '../format.ts';

/** More slots than this are a bar. */
const MAX_PIPS = 32;

const STATES: Record<NodeCard['state'], { label: string; hint: string }> = {
  in: { label: 'Takes calls', hint: 'It is healthy.' },
  out: { label: 'Out', hint: 'It is unhealthy or was ejected; no call goes there.' },
  probing: { label: 'On trial', hint: 'It was out; a few calls show whether it is back.' },
};

export function Nodes({ nodes }: { nodes: readonly NodeCard[] }) {
  if (nodes.length === 0) return null;
  return (
    <section aria-labelledby="nodes-title">
      <h2 id="nodes-title">Nodes</h2>
      <ul className="nodes">
        {nodes.map(node => (
          <Node key={`${node.provider}/${node.name}`} node={node} />
        ))}
      </ul>
    </section>
  );
}

function Node({ node }: { node: NodeCard }) {
  const { name, provider, state, slots, busySlots, inFlight, heldBlocks, affinity } = node;
  const { label, hint } = STATES[state];
  return (
    <li className={`node is-${state}`} data-node={name}>
      <header>
        <h3>{name}</h3>
        <span className="muted">{provider}</span>
        <span className="fill" />
        <span className="badge" title={hint}>
          {label}
        </span>
      </header>
      <div className="slots">
        {slots <= MAX_PIPS ? (
          <Pips slots={slots} busy={busySlots} />
        ) : (
          <SlotBar slots={slots} busy={busySlots} />
        )}
        <p>
          <strong>{count(busySlots)}</strong> of {count(slots)} slots busy
          {inFlight !== busySlots && <span className="muted">, {count(inFlight)} from here</span>}
        </p>
      </div>
      <dl className="facts-grid">
        <Fact label="First output" hint="Moving average" value={duration(node.firstOutputMs)} />
        <Fact label="Latency" hint="Moving average" value={duration(node.latencyMs)} />
        <Fact
          label="Errors"
          hint="Moving average"
          value={percent(node.errorRate)}
          isBad={node.errorRate >= 0.1}
        />
        <Fact
          label="Affinity"
          hint="Share of its calls that came for the prompt it holds"
          value={percent(affinity)}
        />
        <Fact
          label="Held blocks"
          hint="Blocks of prompts in its KV cache, estimated"
          value={count(heldBlocks)}
        />
      </dl>
    </li>
  );
}

function Pips({ slots, busy }: { slots: number; busy: number }) {
  return (
    <div className="pips" aria-hidden="true">
      {Array.from({ length: slots }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: slots are alike.
        <i key={index} className={index < busy ? 'is-busy' : undefined} />
      ))}
    </div>
  );
}

function SlotBar({ slots, busy }: { slots: number; busy: number }) {
  return (
    <div className="slot-bar" aria-hidden="true">
      <i style={{ width: `${(100 * busy) / slots}%` }} />
    </div>
  );
}

interface FactProps {
  label: string;
  hint: string;
  value: string;
  isBad?: boolean;
}

function Fact({ label, hint, value, isBad }: FactProps) {
  return (
    <div title={hint}>
      <dt>{label}</dt>
      <dd className={isBad ? 'bad' : undefined}>{value}</dd>
    </div>
  );
}
