import { describe, expect, it } from 'vitest';
import { resolveModel } from './aliases.ts';
import { getSettings } from './settings.ts';

const fast = { provider: 'openai', model: 'gpt-4.1-mini', defaults: { temperature: 0, maxTokens: 256 } };

function problemsOf(aliases: unknown): string[] {
  try {
    getSettings({ MODEL_ALIASES: typeof aliases === 'string' ? aliases : JSON.stringify(aliases) });
  } catch (error) {
    return (error as { problems: { remedy: string }[] }).problems.map(problem => problem.remedy);
  }
  return [];
}

describe('MODEL_ALIASES', () => {
  it('maps names to provider, model and defaults', () => {
    const settings = getSettings({ MODEL_ALIASES: JSON.stringify({ fast }) });
    expect(settings.modelAliases).toEqual({ fast });
    expect(resolveModel(settings, 'fast')).toEqual(fast);
  });

  it('leaves other names as they are, those of every object included', () => {
    const settings = getSettings({ MODEL_ALIASES: JSON.stringify({ fast }) });
    expect(resolveModel(settings, 'gpt-4')).toEqual({ model: 'gpt-4' });
    expect(resolveModel(settings, 'constructor')).toEqual({ model: 'constructor' });
  });

  it('takes every default that a request can have', () => {
    const defaults = {
      temperature: 1,
      maxTokens: 1,
      topP: 0.5,
      stop: ['.'],
      reasoning: { effort: 'low', maxTokens: 100 },
      extra: { user: 'x' },
    };
    expect(problemsOf({ a: { ...fast, defaults } })).toEqual([]);
  });

  it('reports what is no JSON', () => {
    expect(problemsOf('fast=gpt-4')).toEqual([
      'give JSON, e.g. {"fast": {"provider": "openai", "model": "gpt-4.1-mini"}}',
    ]);
    expect(problemsOf('[]')).toEqual(['give an object of aliases']);
  });

  it('reports all that is wrong in it, each with its place, next to what else is wrong', () => {
    const aliases = {
      a: { provider: 'ollama', model: '' },
      b: { provider: 'openai' },
      c: { provider: 'openai', model: 'm', temperature: 1 },
      d: { provider: 'openai', model: 'm', defaults: { temperature: 3, max_tokens: 5 } },
      e: 'gpt-4',
      f: { provider: 'openai', model: 'm', defaults: { reasoning: { effort: 'much' } } },
    };
    expect(problemsOf(aliases)).toEqual([
      'a.provider: use one of llamaserver, openai, anthropic, azure, llamacpp, mock',
      'a.model: name a model',
      'b.model: name a model',
      'c: temperature is unknown; use provider, model, defaults',
      'd.defaults.temperature: give a number from 0 to 2',
      'd.defaults: max_tokens is unknown; use temperature, maxTokens, topP, stop, reasoning, extra',
      'e: give an object with provider, model, defaults',
      'f.defaults.reasoning.effort: use one of none, minimal, low, medium, high, xhigh, max',
    ]);
    const read = () => getSettings({ MODEL_ALIASES: '{"a": 1}', LLM_TIMEOUT: 'x' });
    expect(read).toThrow(
      /2 settings are wrong:\n {2}MODEL_ALIASES="\{"a": 1\}": a: give an object.*\n {2}LLM_TIMEOUT="x"/,
    );
  });

  it('does not show the keys that stand in it', () => {
    for (const written of [
      '{"a":{"api_key": "sk-1"}}',
      '{"a":{"Authorization":"Bearer sk-1',
      '{"my_token":"sk-1"',
    ]) {
      expect(() => getSettings({ MODEL_ALIASES: written })).toThrow(/^(?!.*sk-1).*"\*\*\*"/s);
    }
  });
});
