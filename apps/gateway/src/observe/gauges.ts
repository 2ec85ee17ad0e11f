import type { LimitUsage } from '@x/avionics';
import type { Circuit, NodeCard } from '@x/console/contract';
import { Gauge, type Registry } from 'prom-client';

/** What is asked for at each scrape. */
export interface LiveFacts {
  /** Of the gateway. */
  version: string;
  inFlight(): number;
  waiting(): number;
  circuits(): Circuit[];
  nodes(): NodeCard[];
  /** Those of limits with one subject, whose number the configuration sets. Rejects when nobody can tell. */
  limits(): Promise<LimitUsage[]>;
}

const CIRCUIT_STATES = ['closed', 'half_open', 'open'] as const;

/** How things stand when Prometheus asks. */
export function registerGauges(registry: Registry, live: LiveFacts): void {
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    read: (set: (labels: Record<string, string>, value: number) => void) => void | Promise<void>,
  ) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        const values: [Record<string, string>, number][] = [];
        await read((labels, value) => values.push([labels, value]));
        // What is not there any more must not stay; and nobody else's scrape comes in between.
        this.reset();
        for (const [labels, value] of values) this.set(labels, value);
      },
    });

  gauge('gateway_build_info', 'Always 1; the labels say what runs', ['version'], set =>
    set({ version: live.version }, 1),
  );
  gauge('gateway_requests_in_flight', 'Calls under way in this replica', [], set => set({}, live.inFlight()));
  gauge('gateway_requests_waiting', 'Calls of this replica that wait for a slot of a node', [], set =>
    set({}, live.waiting()),
  );
  gauge(
    'gateway_circuit_state',
    'State of a circuit: 1 for the one that it is in; an open one keeps calls from its provider',
    ['provider', 'state'],
    set => {
      for (const { provider, state: now } of live.circuits())
        for (const state of CIRCUIT_STATES) set({ provider, state }, state === now ? 1 : 0);
    },
  );
  gauge(
    'gateway_limit_used_ratio',
    'Share of a limit that is spent or held by calls under way, of all replicas; above 1 it was passed',
    ['rule', 'unit'],
    async set => {
      // Without their store limits are not known; all else is.
      for (const { rule, unit, spent, reserved, limit } of await live.limits().catch(() => []))
        set({ rule, unit }, (spent + reserved) / limit);
    },
  );
  const ofNodes = (name: string, help: string, value: (node: NodeCard) => number | undefined) =>
    gauge(name, help, ['provider', 'node'], set => {
      for (const card of live.nodes()) {
        const found = value(card);
        if (found !== undefined) set({ provider: card.provider, node: card.name }, found);
      }
    });
  ofNodes('gateway_node_up', 'Whether a node takes calls', ({ state }) => (state === 'out' ? 0 : 1));
  ofNodes('gateway_node_slots', 'Calls that a node works on at once', ({ slots }) => slots);
  ofNodes('gateway_node_busy_slots', 'Slots in use, of all replicas', ({ busySlots }) => busySlots);
  ofNodes('gateway_node_requests_in_flight', 'Calls of this replica at a node', ({ inFlight }) => inFlight);
  ofNodes('gateway_node_error_ratio', 'Share of calls that failed, averaged', ({ errorRate }) => errorRate);
  ofNodes(
    'gateway_node_first_output_seconds',
    'From a call to its first output, averaged',
    ({ firstOutputMs }) => (firstOutputMs === undefined ? undefined : firstOutputMs / 1_000),
  );
}
