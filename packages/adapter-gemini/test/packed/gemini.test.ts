import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PackedProject, packedProject } from '../../../../test/packed-project.ts';
import { type ScriptedServer, scriptedServer } from '../../../../test/scripted-server.ts';

describe('@x/adapter-gemini, packed, in an empty project', () => {
  let project: PackedProject;
  let server: ScriptedServer;
  beforeAll(async () => {
    const stream = await readFile(new URL('../../src/__fixtures__/text.sse', import.meta.url));
    server = await scriptedServer(response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(stream);
    });
    project = await packedProject('airframe', 'adapter-gemini');
  });
  afterAll(async () => {
    project?.remove();
    await server?.close();
  });

  it('streams as one adapter of a client, with retries around it', async () => {
    const output = await project.node(`
      import { geminiAdapter } from '@x/adapter-gemini';
      import { AirframeClient, withRetry } from '@x/airframe';
      const client = new AirframeClient({ adapters: [withRetry(geminiAdapter())] });
      const endpoint = { name: 'g', backendKind: 'gemini', baseUrl: '${server.url}', model: 'gemini-3-flash' };
      const request = { messages: [{ role: 'user', content: 'Weather?' }] };
      for await (const event of client.streamInfer(endpoint, request)) {
        if (event.type === 'token') process.stdout.write(event.text);
        if (event.type === 'done') process.stdout.write('|' + event.finishReason);
      }
    `);
    expect(output).toBe('The sun shines.|stop');
  });

  it('uses the one airframe of the project', () => {
    expect(project.packages.filter(path => path.endsWith('/airframe'))).toHaveLength(1);
  });
});
