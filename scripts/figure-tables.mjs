// Tables of words, as the formatter writes them: all columns to the left.

/** @param rows of text; what would end a cell or a line is written so that it does not */
export function textTable(headers, rows) {
  const cells = [headers, ...rows].map(row => row.map(cellOf));
  const widths = headers.map((_, column) => Math.max(3, ...cells.map(row => [...row[column]].length)));
  const line = row =>
    `| ${row.map((cell, at) => cell + ' '.repeat(widths[at] - [...cell].length)).join(' | ')} |`;
  const [head, ...body] = cells.map(line);
  return [head, `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`, ...body].join('\n');
}

const cellOf = value => String(value).replaceAll('|', '\\|').replaceAll('\n', ' ');
