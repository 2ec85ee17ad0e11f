import { fileURLToPath, pathToFileURL } from 'node:url';
import type { EndpointSpec } from '@x/airframe';

/** The project's own model; see apps/demo-model. */
export const DEMO_MODEL: string = fileURLToPath(
  new URL('../../../apps/demo-model/pilot.gguf', import.meta.url),
);

/** An endpoint that runs the demo model, or another file, in this process. */
export function demoEndpoint(options: Record<string, unknown> = {}, path: string = DEMO_MODEL): EndpointSpec {
  return { name: 'demo', backendKind: 'llamacpp_native', baseUrl: pathToFileURL(path).href, options };
}
