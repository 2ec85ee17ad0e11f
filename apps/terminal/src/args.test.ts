import { describe, expect, it } from 'vitest';
import { parseArguments, UsageError } from './args.ts';

describe('the command line', () => {
  it('takes words as the prompt and options in both forms', () => {
    expect(parseArguments(['What', 'is', '--max-tokens=9', '--provider', 'mock', '2+2?', '--json'])).toEqual({
      prompt: 'What is 2+2?',
      provider: 'mock',
      maxTokens: 9,
      json: true,
      help: false,
    });
  });

  it('takes what follows -- for the prompt, whatever it looks like', () => {
    expect(parseArguments(['--', '--help']).prompt).toBe('--help');
  });

  it.each([
    [['--max-tokens', '-1'], '--max-tokens is "-1"; give a whole number above 0'],
    [['--max-tokens', '1.5'], '--max-tokens is "1.5"; give a whole number above 0'],
    [['--max-tokens', 'many'], '--max-tokens is "many"; give a whole number above 0'],
    [['--max-tokens='], '--max-tokens is ""; give a whole number above 0'],
    [['--temperature', '-0.5'], '--temperature is "-0.5"; give a number, 0 or more'],
    [['--provider', 'nonsense'], '--provider is "nonsense"; give one of'],
    [['--colour'], "Unknown option '--colour'"],
    [['--model'], "Option '--model"],
  ])('refuses %j in one line', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(UsageError);
    expect(() => parseArguments(argv)).toThrow(message);
    expect(() => parseArguments(argv)).not.toThrow(/\n/);
  });
});
