/** What docs/figures/NAME.json has; sets have more, as they need. */
export interface Figures {
  name: string;
  command: string;
  /** ISO 8601. */
  date: string;
  commit: string;
  node: string;
  cpus: number;
  rows: unknown[];
}

export interface Region {
  name: string;
  part: string | undefined;
  body: string;
}

export interface FigureSet {
  name: string;
  /** Pages with a region of this set, from the root. */
  files: string[];
  render(json: Figures, part?: string): string;
  svg?(json: Figures): string;
  /** Paths of what is measured. */
  code?: string[];
  measure?(): Promise<{ command: string; rows: unknown[] }>;
}

export function regionsOf(page: string): Region[];
export function fillRegions(
  page: string,
  render: (name: string, part: string | undefined) => string | undefined,
): string;
export function table(headers: string[], rows: (string | number)[][]): string;
export function provenance(figures: Figures): string;
export function figuresOf(
  figures: { name: string; command: string; rows: unknown[]; [more: string]: unknown },
  code?: string[],
): Figures;
export function writeFigures(
  figures: { name: string; command: string; rows: unknown[]; [more: string]: unknown },
  code?: string[],
): string;
export function loadFigureSets(root?: string): Promise<(FigureSet & { json?: Figures })[]>;
export function checkFigures(root?: string): Promise<string[]>;
export function staleFigures(root?: string): Promise<string[]>;
