import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PackedProject, packedProject } from '../../../../test/packed-project.ts';
import { type RealLlamaServer, startLlamaServer } from '../../../../test/real-llama-server.ts';

describe('@x/airframe alone, packed, in an empty project', () => {
  let project: PackedProject;
  let server: RealLlamaServer;
  beforeAll(async () => {
    [project, server] = await Promise.all([packedProject('airframe'), startLlamaServer()]);
  });
  afterAll(async () => {
    project?.remove();
    await server?.stop();
  });

  it('streams from a llama-server', async () => {
    const output = await project.node(`
      import { llamaServerAdapter } from '@x/airframe';
      const endpoint = { name: 'local', backendKind: 'llama_server', baseUrl: '${server.url}' };
      const request = { messages: [{ role: 'user', content: 'What is 2+2?' }], temperature: 0 };
      for await (const event of llamaServerAdapter().streamInfer(endpoint, request)) {
        if (event.type === 'token') process.stdout.write(event.text);
        if (event.type === 'done') process.stdout.write('|' + event.finishReason);
      }
    `);
    expect(output).toMatch(/4.*\|stop$/s);
  });

  it('brings the adapter as a subpath of its own', async () => {
    const program = `import { llamaServerAdapter } from '@x/airframe/llama-server'; console.log(typeof llamaServerAdapter);`;
    expect(await project.node(program)).toBe('function\n');
  });

  it('is at most 6 packages and 12 MB', () => {
    expect(project.packages.length).toBeLessThanOrEqual(6);
    expect(project.bytes).toBeLessThanOrEqual(12e6);
  });

  it('knows nothing of avionics or of a native binding', () => {
    expect(project.packages.join()).not.toMatch(/avionics|llamacpp|node-llama/);
  });
});
