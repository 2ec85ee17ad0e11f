import type { ChatRequest } from './wire.ts';

const TEXT_ROLES: ReadonlySet<unknown> = new Set(['system', 'developer', 'user', 'assistant']);

/**
 * Whether a body is what most are, texts with a few figures, and nothing is wrong with it: seen at a glance, for checking
 * it by its schema takes longer than all else that is done to read it. What is not plain is for the schema to judge.
 */
export function isPlainChat(body: unknown): body is ChatRequest {
  if (typeof body !== 'object' || body === null) return false;
  for (const field in body) if (!isPlainField(field, body[field as keyof typeof body])) return false;
  return 'messages' in body;
}

function isPlainField(field: string, value: unknown): boolean {
  switch (field) {
    case 'model':
      return typeof value === 'string';
    case 'messages':
      return Array.isArray(value) && value.length > 0 && value.every(isPlainMessage);
    case 'stream':
      return typeof value === 'boolean';
    case 'stream_options':
      return isUsageWish(value);
    case 'temperature':
      return Number.isFinite(value) && (value as number) >= 0;
    case 'top_p':
      return Number.isFinite(value) && (value as number) >= 0 && (value as number) <= 1;
    case 'max_tokens':
    case 'max_completion_tokens':
      return Number.isSafeInteger(value) && (value as number) > 0;
    default:
      return false;
  }
}

function isPlainMessage(message: unknown): boolean {
  if (typeof message !== 'object' || message === null) return false;
  let fields = 0;
  for (const _ in message) fields++;
  const { role, content } = message as Record<string, unknown>;
  return fields === 2 && TEXT_ROLES.has(role) && typeof content === 'string';
}

function isUsageWish(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const field in value) if (field !== 'include_usage') return false;
  const { include_usage: wish } = value as Record<string, unknown>;
  return wish === undefined || typeof wish === 'boolean';
}
