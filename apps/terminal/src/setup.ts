import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LLMGateway, readSettings } from '@x/avionics';
import { type Arguments, UsageError } from './args.ts';
import { LoadStatus } from './loading.ts';
import { canRewrite, note } from './screen.ts';

export interface Setup {
  gateway: LLMGateway;
  /** What the model is called on the screen. */
  modelName: string;
  /** What the spinner says until the first words come. */
  waitingFor(): string;
  /** True while the project's own toy model answers. */
  isDemo: boolean;
}

export const DEMO_HINT: string =
  'pilot is a 2 MB demo model that this project trained itself: small sums and questions about the project, no more.\n' +
  'For a real one: --model /path/to/model.gguf, or --provider llamaserver.';

/** The project's demo model; in this workspace only, never in a published package. */
const demoModel = (): string => fileURLToPath(import.meta.resolve('@x/demo-model/pilot.gguf'));

/**
 * The gateway that the options and the environment ask for; with neither, the demo model in this process.
 * @throws UsageError or SettingsError naming the value and the remedy
 */
export function setUp(args: Arguments): Setup {
  const env = { ...process.env };
  env['LLM_PROVIDER'] = args.provider ?? (env['LLM_PROVIDER'] || 'llamacpp');
  if (env['LLM_PROVIDER'] === 'llamacpp') {
    // npm runs this in the project's root; a relative path means the folder that the user is in.
    const given = args.model && resolve(env['INIT_CWD'] ?? '.', args.model);
    const path = given ?? (env['LLAMACPP_MODEL_PATH'] || demoModel());
    if (!existsSync(path)) {
      throw new UsageError(
        `there is no model file ${resolve(path)}; give the path of a GGUF file with --model`,
      );
    }
    env['LLAMACPP_MODEL_PATH'] = resolve(path);
    env['DEFAULT_MODEL'] = basename(path).replace(/\.gguf$/i, '');
  } else if (args.model !== undefined) {
    env['DEFAULT_MODEL'] = args.model;
    // A provider's own variable would come first.
    for (const own of ['OPENAI_MODEL', 'ANTHROPIC_MODEL', 'AZURE_DEPLOYMENT_NAME']) delete env[own];
  }
  const settings = readSettings(env);
  const isDemo =
    !settings.mockLlmEnabled &&
    settings.llmProvider === 'llamacpp' &&
    settings.llamacppModelPath === demoModel();
  const modelName = settings.defaultModel ?? `the model of ${settings.llmProvider}`;
  const status = new LoadStatus(modelName, canRewrite() ? undefined : note);
  const gateway = new LLMGateway(settings, { onLoadProgress: status.onLoadProgress });
  return { gateway, modelName, waitingFor: status.label, isDemo };
}
