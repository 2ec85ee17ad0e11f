// Runs ahead of the gateway: tells what it has in use to whoever asks over the channel of the parent.
import { inUse } from './resources.mjs';

process.on('message', () => process.send(inUse()));
process.channel?.unref();
