// `pnpm scripted-gateway [port]` in apps/console: the console with made-up traffic, for whoever works on it.
import { startScriptedGateway } from './server.ts';

const gateway = await startScriptedGateway({ port: Number(process.argv[2] ?? 8080), pastSeconds: 290 });
gateway.loadOn();
process.stdout.write(`${gateway.url}/#key=${gateway.adminKey}\n`);
// A node goes and comes back, so that there is something to see.
let isUp = true;
setInterval(() => {
  isUp = !isUp;
  if (isUp) gateway.nodeUp();
  else gateway.nodeDown();
}, 20_000);
