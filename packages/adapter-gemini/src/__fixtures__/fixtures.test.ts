import { describeFixtures } from '../../../../test/stream-fixtures.ts';
import { geminiAdapter } from '../index.ts';

describeFixtures('gemini', new URL('./', import.meta.url), {
  adapter: http => geminiAdapter({ http }),
  endpoint: { name: 'fixture', backendKind: 'gemini', baseUrl: 'http://fixture', model: 'gemini-3-pro' },
});
