/**
 * Rows of one part of the table.
 * @param rows `[scenario, promise, ...claims]` each
 */
export const rowsOf = (part, rows) =>
  rows.map(([scenario, promise, ...tests]) => ({ part, scenario, promise, tests }));
