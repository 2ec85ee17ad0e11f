import { readFileSync } from 'node:fs';

/** The code blocks of a page of docs/guides that say which file they are: file → content. */
export function guideFiles(page: string): Map<string, string> {
  const text = readFileSync(new URL(`../docs/guides/${page}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```\w+ title="([^"]+)"\n(.*?)^```$/gms)];
  return new Map(blocks.map(([, file = '', content = '']) => [file, content]));
}

/** The commands of a page's shell blocks, one a line. */
export function guideCommands(page: string): string[] {
  const text = readFileSync(new URL(`../docs/guides/${page}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)];
  return blocks.flatMap(([, content = '']) => content.trim().split('\n'));
}
