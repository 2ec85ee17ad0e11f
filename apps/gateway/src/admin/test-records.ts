import type { RequestRecord } from '@x/console/contract';

/** A call that went well, but for what is given. */
export function record(changes: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id: 'r1',
    at: 0,
    key: 'team',
    agent: 'unknown',
    protocol: 'openai-chat',
    model: 'demo',
    stream: true,
    state: 'succeeded',
    provider: 'local',
    attempts: [],
    ...changes,
  };
}
