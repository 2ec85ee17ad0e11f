import { it, expect } from 'vitest';
import { configSchema } from './config/schema.ts';
it('parses', () => {
 const models=['script-20','script-20-every-5'];
 const price = { prompt: 0.000_1, completion: 0.000_4 };
 const r = configSchema.safeParse({
    server: { host: '127.0.0.1', port: 3 },
    providers: { upstream: { type: 'openai', baseUrl: `http://127.0.0.1:1/v1`, apiKey: 'bench' } },
    models: Object.fromEntries(models.map(model => [model, { targets: [{ provider: 'upstream', model }] }])),
    prices: { openai: Object.fromEntries(models.map(model => [model, price])) },
    keys: [{ name: 'bench', hash: 'sha256:'+'a'.repeat(64), usdPerDay: 1_000_000, requestsPerMinute: 100_000_000 }],
    log: { level: 'warn', access: false },
  });
 expect(r.error).toBeUndefined();
});
