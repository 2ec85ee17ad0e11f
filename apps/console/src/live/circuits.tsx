import type { Circuit } from '../contract.ts';

const STATES: Record<Circuit['state'], { label: string; hint: string }> = {
  closed: { label: 'closed', hint: 'Calls pass.' },
  open: { label: 'open', hint: 'It failed too often; calls pass it over for a while.' },
  half_open: { label: 'half open', hint: 'One call at a time shows whether it is back.' },
};

export function Circuits({ circuits }: { circuits: readonly Circuit[] }) {
  if (circuits.length === 0) return null;
  return (
    <section aria-labelledby="circuits-title">
      <h2 id="circuits-title">Circuits</h2>
      <ul className="circuits">
        {circuits.map(({ provider, type, state }) => (
          <li key={provider} className={`is-${state}`} title={STATES[state].hint}>
            <span className="dot" aria-hidden="true" />
            <strong>{provider}</strong>
            {type !== provider && <span className="muted">{type}</span>}
            <span className="state">{STATES[state].label}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
