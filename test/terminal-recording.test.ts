import { describe, expect, it } from 'vitest';
import { drawn } from '../scripts/terminal-recording.mjs';
import { TerminalScreen } from '../scripts/terminal-screen.mjs';

function shown(text: string, columns = 80) {
  const screen = new TerminalScreen(columns);
  screen.write(text);
  return screen.lines();
}

describe('the screen of a recording', () => {
  it('shows a line that was written over as it stands at last', () => {
    expect(shown('\x1b[36m⠋ waiting\x1b[39m\r\x1b[2K2 + 2 = 4.\r\n')).toEqual([
      [{ text: '2 + 2 = 4.', style: '' }],
    ]);
  });

  it('keeps colours, and takes out what stands behind the cursor', () => {
    expect(shown('a\x1b[2mdim\x1b[22m!\x1b[1G\x1b[0K\x1b[31mred')).toEqual([[{ text: 'red', style: 'red' }]]);
    expect(shown('a \x1b[2mdim\x1b[22m')).toEqual([
      [
        { text: 'a ', style: '' },
        { text: 'dim', style: 'dim' },
      ],
    ]);
  });

  it('goes on in the next line where one is full', () => {
    expect(shown('abcdef', 4).map(([run]) => run?.text)).toEqual(['abcd', 'ef']);
  });
});

describe('a drawn recording', () => {
  const frames = [
    { atMs: 0, lines: [[{ text: 'waiting <for it>', style: 'cyan' }]] },
    { atMs: 400, lines: [[{ text: 'done', style: '' }]] },
  ];

  it('is text, told to those who do not see it, with nothing of it taken for markup', () => {
    const svg = drawn({ title: 'App', prompt: 'run "it"', frames });
    expect(svg).toContain('aria-label="App: run &quot;it&quot; done"');
    expect(svg).toContain('waiting &lt;for it&gt;');
    expect(svg).not.toContain('<image');
  });
});
