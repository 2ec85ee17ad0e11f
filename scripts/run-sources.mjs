// `node --conditions=@x/source --import …/run-sources.mjs file.ts` runs TypeScript of this workspace as it stands.
import { register } from 'node:module';

register('./source-hooks.mjs', import.meta.url);
