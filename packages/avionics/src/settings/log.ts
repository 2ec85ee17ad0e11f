import { type LogFields, type Logger, loggerOf } from '../logger.ts';
import { publicUrl } from '../providers/adapter-provider.ts';
import { defined } from '../providers/options.ts';
import { choiceOf, type ListedAgent, listAgents } from './choice.ts';
import type { Settings } from './settings.ts';
import type { ProviderType } from './variables.ts';

/**
 * Writes one line, level info, that tells who answers and how, and the rest in its fields. No keys: only whose are set.
 * @throws SettingsError when something is wrong with a registered agent
 */
export function logLLMConfig(settings: Settings, logger: Logger): void {
  const { provider, model } = choiceOf(settings);
  const place = addressOf(settings, provider);
  const where = place === undefined ? '' : ` at ${place}`;
  const seconds = settings.llmTimeout === 0 ? 'no timeout' : `${settings.llmTimeout} s timeout`;
  const agents = listAgents(settings);
  const count = agents.length === 1 ? '1 agent' : `${agents.length} agents`;
  const tail = `${seconds}, ${settings.llmMaxRetries} retries, ${settings.deploymentMode}, ${count}`;
  const fields: LogFields = {
    provider,
    ...defined({ model, address: place, temperature: temperatureOf(settings) }),
    timeoutSeconds: settings.llmTimeout,
    maxRetries: settings.llmMaxRetries,
    deploymentMode: settings.deploymentMode,
    mock: settings.mockLlmEnabled,
    keysSetFor: providersWithKeys(settings),
    agents: Object.fromEntries(agents.map(agent => [agent.name, agentFields(agent)])),
    aliases: aliasesOf(settings),
    ...(settings.redisUrl === undefined ? {} : { redis: publicUrl(settings.redisUrl) }),
  };
  loggerOf(logger).info(`LLM: ${provider}${where}, ${model ?? 'the model it has'}, ${tail}`, fields);
}

function addressOf(settings: Settings, provider: ProviderType): string | undefined {
  const addresses: Record<ProviderType, string | undefined> = {
    llamaserver: settings.llamaserverHost,
    openai: settings.openaiBaseUrl,
    anthropic: settings.anthropicBaseUrl,
    azure: settings.azureEndpoint,
    llamacpp: settings.llamacppModelPath,
    mock: undefined,
  };
  const address = addresses[provider];
  return address === undefined || provider === 'llamacpp' ? address : publicUrl(address);
}

function temperatureOf({
  disableTemperature,
  defaultTemperature,
}: Settings): number | 'never sent' | undefined {
  return disableTemperature ? 'never sent' : defaultTemperature;
}

function providersWithKeys(settings: Settings): ProviderType[] {
  const keys: [ProviderType, string | undefined][] = [
    ['llamaserver', settings.llamaserverApiKey],
    ['openai', settings.openaiApiKey],
    ['anthropic', settings.anthropicApiKey],
    ['azure', settings.azureApiKey],
  ];
  return keys.filter(([, key]) => key !== undefined).map(([provider]) => provider);
}

function agentFields({ name: _, llamaServerUrl, ...agent }: ListedAgent): LogFields {
  return { ...agent, ...(llamaServerUrl ? { llamaServerUrl: publicUrl(llamaServerUrl) } : {}) };
}

/** Without their defaults: `extra` may hold anything. */
function aliasesOf({ modelAliases }: Settings): Record<string, string> {
  return Object.fromEntries(
    Object.entries(modelAliases).map(([alias, { provider, model }]) => [alias, `${provider}/${model}`]),
  );
}
