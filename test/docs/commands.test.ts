import { describe, expect, it } from 'vitest';
import { markdownFiles, readPage } from '../../scripts/docs/markdown.mjs';
import { commandsOf, problemOf, simpleCommands } from './commands.mjs';

interface Command {
  file: string;
  line: number;
  words: string[];
}

const commands: Command[] = markdownFiles().flatMap((file: string) => commandsOf(file, readPage(file)));
const problem = (text: string, file = 'README.md') =>
  simpleCommands(text)
    .map((words: string[]) => problemOf({ file, words }))
    .find((found: string | undefined) => found);

describe('the commands in all Markdown', () => {
  it('are there: scripts, files, programs, and the options they are given', () => {
    expect(commands.length).toBeGreaterThan(40);
    const problems = commands.flatMap(command => {
      const found = problemOf(command);
      return found ? [`${command.file}:${command.line}: ${command.words.join(' ')}: ${found}`] : [];
    });
    expect(problems).toEqual([]);
  });
});

describe('the check of commands', () => {
  it('takes a script apart into commands', () => {
    const text = 'A=1 npm start -- "a | b" # said\ncurl x \\\n  -d y | jq . > z && echo done\n';
    expect(simpleCommands(text)).toEqual([
      ['npm', 'start', '--', 'a | b'],
      ['curl', 'x', '-d', 'y'],
      ['jq', '.'],
      ['echo', 'done'],
    ]);
  });

  it.each([
    ['npm run nosuch', 'there is no script nosuch'],
    ['npm start -- --modle x', 'apps/terminal/src knows no --modle'],
    ['npm run gateway -- check --confg x', 'apps/gateway/src knows no --confg'],
    ['node scripts/nosuch.mjs', 'there is no scripts/nosuch.mjs'],
    ['npx nosuch', 'there is no command nosuch'],
    ['docker build -f apps/nosuch/Dockerfile .', 'there is no apps/nosuch/Dockerfile'],
    ['frobnicate', 'frobnicate is no command that test/docs/commands.mjs knows'],
  ])('finds what is wrong with %s', (text, found) => {
    expect(problem(text)).toBe(found);
  });

  it.each([
    'npm start -- --max-tokens 20 "Who are you?"',
    'pnpm bench:stream --check --only airframe',
    'npx llamacpp-native build',
    'pnpm --dir packages/airframe pack',
  ])('has nothing to say of %s', text => {
    expect(problem(text)).toBeUndefined();
  });
});
