import {
  type Environment,
  httpUrl,
  masked,
  number,
  type ProviderType,
  presentOf,
  problemsOf,
  providerType,
  retries,
  SettingsError,
  type SettingsProblem,
  seconds,
  temperature,
  text,
  type Variable,
} from './variables.ts';

/** What an agent wants different from the rest. */
export interface AgentConfig {
  /** Model name as the agent's backend knows it, or an alias. */
  model?: string;
  temperature?: number;
  /** Most tokens of an answer. */
  maxTokens?: number;
  provider?: ProviderType;
  /** The llama-server of this agent, when its provider is llamaserver. */
  llamaServerUrl?: string;
  /** Seconds a call may go without progress; 0: no limit. */
  timeout?: number;
  /** Tries after the first, before any output. */
  maxRetries?: number;
}

/** The part of the settings that is about agents. */
export interface AgentSettings {
  /** Registered configs by agent name; variables of the environment go over them. */
  agents: Readonly<Record<string, AgentConfig>>;
  /** The environment's variables that may name an agent, unchecked until that agent is asked for. */
  agentVariables: Environment;
}

const AGENT_VARIABLE =
  /_(MODEL|TEMPERATURE|MAX_TOKENS|LLM_PROVIDER|LLM_TIMEOUT|LLM_MAX_RETRIES)$|^LLAMASERVER_.+_URL$/;

/** Keeps the variables that may name an agent. */
export function agentVariablesOf(env: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(presentOf(env)).filter(([name]) => AGENT_VARIABLE.test(name)));
}

/** Names of an agent's variables: upper case, everything but letters, digits and `_` becomes `_`. */
export function agentVariableNames(agentName: string): Record<keyof AgentConfig, string> {
  const key = agentName.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
  return {
    model: `${key}_MODEL`,
    temperature: `${key}_TEMPERATURE`,
    maxTokens: `${key}_MAX_TOKENS`,
    provider: `${key}_LLM_PROVIDER`,
    llamaServerUrl: `LLAMASERVER_${key}_URL`,
    timeout: `${key}_LLM_TIMEOUT`,
    maxRetries: `${key}_LLM_MAX_RETRIES`,
  };
}

const SCHEMAS = {
  model: text,
  temperature,
  maxTokens: number({ min: 1, integer: true, remedy: 'give a whole number of tokens above 0, e.g. 512' }),
  provider: providerType,
  llamaServerUrl: httpUrl,
  timeout: seconds,
  maxRetries: retries,
} satisfies { [Key in keyof Required<AgentConfig>]: Variable<Required<AgentConfig>[Key]> };

/**
 * The same settings with these agents registered, in the place of those that had the same names.
 * @throws SettingsError with all that is wrong in the configs
 */
export function registerAgents<Kind extends AgentSettings>(
  settings: Kind,
  agents: Readonly<Record<string, AgentConfig>>,
): Kind {
  const problems = Object.entries(agents).flatMap(([name, config]) => problemsWith(name, config));
  if (problems.length > 0) throw new SettingsError(problems);
  return { ...settings, agents: { ...settings.agents, ...agents } };
}

/** Configs may come from a file, so their types prove nothing. The rules are those of the variables. */
function problemsWith(name: string, config: AgentConfig): SettingsProblem[] {
  return Object.entries(config).flatMap(([field, value]) => {
    const variable = `agents.${name}.${field}`;
    if (!Object.hasOwn(SCHEMAS, field)) {
      const remedy = `use ${Object.keys(SCHEMAS).join(', ')}`;
      return [{ variable, value: masked(variable, String(value)), remedy }];
    }
    const parsed = SCHEMAS[field as keyof AgentConfig].safeParse(String(value));
    const [issue] = parsed.error?.issues ?? [];
    return issue ? [{ variable, value: masked(variable, String(value)), remedy: issue.message }] : [];
  });
}

/**
 * The config of an agent: what is registered for it, and over that its variables.
 * @throws SettingsError naming each variable of this agent that is wrong
 */
export function resolveAgent(settings: AgentSettings, agentName: string): AgentConfig {
  const registered = Object.hasOwn(settings.agents, agentName) ? settings.agents[agentName] : undefined;
  const overrides: Record<string, unknown> = {};
  const problems: SettingsProblem[] = [];
  for (const [field, variable] of Object.entries(agentVariableNames(agentName))) {
    const value = settings.agentVariables[variable];
    if (value === undefined) continue;
    const parsed = SCHEMAS[field as keyof AgentConfig].safeParse(value);
    if (parsed.success) overrides[field] = parsed.data;
    else problems.push(...problemsOf(parsed.error.issues, settings.agentVariables, variable));
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return { ...registered, ...overrides };
}
