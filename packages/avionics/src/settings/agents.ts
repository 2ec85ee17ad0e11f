import { z } from 'zod';
import {
  type Environment,
  httpUrl,
  type ProviderType,
  presentOf,
  problemsOf,
  providerType,
  SettingsError,
  temperature,
  text,
  type Variable,
} from './variables.ts';

/** What an agent wants different from the rest. */
export interface AgentConfig {
  /** Model name as the agent's backend knows it. */
  model?: string;
  temperature?: number;
  provider?: ProviderType;
  /** The llama-server of this agent, when its provider is llamaserver. */
  llamaServerUrl?: string;
}

/** The part of the settings that is about agents. */
export interface AgentSettings {
  /** Registered configs by agent name; variables of the environment go over them. */
  agents: Readonly<Record<string, AgentConfig>>;
  /** The environment's variables that may name an agent, unchecked until that agent is asked for. */
  agentVariables: Environment;
}

const AGENT_VARIABLE = /_(MODEL|TEMPERATURE|LLM_PROVIDER)$|^LLAMASERVER_.+_URL$/;

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
    provider: `${key}_LLM_PROVIDER`,
    llamaServerUrl: `LLAMASERVER_${key}_URL`,
  };
}

const SCHEMAS = { model: text, temperature, provider: providerType, llamaServerUrl: httpUrl } satisfies {
  [Key in keyof Required<AgentConfig>]: Variable<Required<AgentConfig>[Key]>;
};

/**
 * The config of an agent: what is registered for it, and over that its variables.
 * @throws SettingsError naming each variable of this agent that is wrong
 */
export function resolveAgent(settings: AgentSettings, agentName: string): AgentConfig {
  const registered = Object.hasOwn(settings.agents, agentName) ? settings.agents[agentName] : undefined;
  const names = agentVariableNames(agentName);
  const fields = (Object.keys(names) as (keyof AgentConfig)[]).filter(
    field => settings.agentVariables[names[field]] !== undefined,
  );
  if (fields.length === 0) return registered ?? {};
  const schema = z.object(Object.fromEntries(fields.map(field => [names[field], SCHEMAS[field]])));
  const parsed = schema.safeParse(settings.agentVariables);
  if (!parsed.success) throw new SettingsError(problemsOf(parsed.error.issues, settings.agentVariables));
  const overrides: AgentConfig = Object.fromEntries(fields.map(field => [field, parsed.data[names[field]]]));
  return { ...registered, ...overrides };
}
