// Names the llama.cpp build of this machine for a cache that CI keeps, by what the scripts themselves name it by.
import { basename } from 'node:path';
import { addonPath, builtBase } from '../packages/llamacpp-native/native/paths.mjs';
import { ensureInstalled } from './workspace.mjs';

await ensureInstalled();
const prefix = `llama.cpp-${basename(builtBase())}`;
console.log(`prefix=${prefix}`);
console.log(`key=${prefix}-${basename(addonPath(), '.node')}`);
