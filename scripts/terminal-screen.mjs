// What a terminal shows: text, colours, and the few movements of the cursor that the terminal app and npm make.

const COLORS = { 31: 'red', 32: 'green', 33: 'yellow', 34: 'blue', 35: 'magenta', 36: 'cyan', 90: 'dim' };
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are controlled by them.
const TOKEN = /\x1b\[([\d;?]*)([A-Za-z])|\x1b[^[]|[\r\n\b]|[^\x1b\r\n\b]/gu;

export class TerminalScreen {
  #lines = [[]];
  #row = 0;
  #column = 0;
  #style = '';
  #columns;

  constructor(columns) {
    this.#columns = columns;
  }

  /** @param text as the program wrote it; no sequence may be cut at its end */
  write(text) {
    for (const [token, parameters, command] of text.matchAll(TOKEN)) {
      if (command) this.#control(command, parameters);
      else if (token === '\r') this.#column = 0;
      else if (token === '\n') this.#newLine();
      else if (token === '\b') this.#column = Math.max(0, this.#column - 1);
      else if (token[0] !== '\x1b') this.#put(token);
    }
  }

  /** @returns per line its runs `{ text, style }`; lines without text at the end are left out */
  lines() {
    const lines = this.#lines.map(runsOf);
    while (lines.length > 0 && lines.at(-1).length === 0) lines.pop();
    return lines;
  }

  #put(char) {
    if (this.#column >= this.#columns) {
      this.#column = 0;
      this.#newLine();
    }
    const line = this.#lines[this.#row];
    while (line.length < this.#column) line.push({ char: ' ', style: '' });
    line[this.#column++] = { char, style: this.#style };
  }

  #newLine() {
    this.#row++;
    this.#lines[this.#row] ??= [];
  }

  #control(command, parameters) {
    const [first = ''] = parameters.split(';');
    if (command === 'm') this.#setStyle(parameters);
    else if (command === 'G') this.#column = Math.max(0, Number(first || 1) - 1);
    else if (command === 'A') this.#row = Math.max(0, this.#row - Number(first || 1));
    else if (command === 'K') this.#erase(first);
  }

  #erase(what) {
    const line = this.#lines[this.#row];
    if (what === '2') line.length = 0;
    else if (what === '' || what === '0') line.length = Math.min(line.length, this.#column);
  }

  #setStyle(parameters) {
    for (const code of parameters.split(';').map(Number)) {
      if (code === 2) this.#style = 'dim';
      else if (code === 1) this.#style = 'bold';
      else if (code in COLORS) this.#style = COLORS[code];
      else if (code === 0 || code === 22 || code === 39) this.#style = '';
    }
  }
}

function runsOf(cells) {
  const runs = [];
  for (const { char, style } of cells) {
    const last = runs.at(-1);
    if (last?.style === style) last.text += char;
    else runs.push({ text: char, style });
  }
  const last = runs.at(-1);
  if (last) last.text = last.text.trimEnd();
  return runs.filter(({ text }) => text !== '');
}
