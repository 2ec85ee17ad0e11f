// What is simulated: pools of different sizes under the same load for each node, and one of them under other loads.

/**
 * A node has 4 slots and llama-server's 8 GiB for prompts beside them: 65,536 tokens at 128 KiB a token, as of a model of 8
 * billion parameters with 8 heads for keys and values in F16 (32 layers × 8 × 128 × 2 × 2 bytes).
 */
const NODE = { slots: 4, storedTokens: 65_536, failEverySeconds: 600, downSeconds: 30 };
const AGENTS_PER_NODE = 8;
const WARM_UP_SECONDS = 60;

const scenario = (nodes, load, seconds) => ({
  ...NODE,
  name: `${nodes.toLocaleString('en')} nodes, load ${load}`,
  nodes,
  load,
  seconds,
  warmUpSeconds: WARM_UP_SECONDS,
  agents: AGENTS_PER_NODE * nodes,
});

/** Large pools are watched for less long: there is as much to see. */
export const SCENARIOS = [
  scenario(8, 1.5, 1_800),
  scenario(64, 0.5, 300),
  scenario(64, 1.5, 300),
  scenario(64, 2.5, 150),
  scenario(256, 1.5, 120),
  scenario(1_000, 1.5, 40),
];

export const STRATEGIES = ['round_robin', 'least_busy', 'affinity', 'balanced'];
