import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PACKAGES = ['airframe', 'avionics', 'llamacpp-native', 'adapter-gemini'];

interface Named {
  entry: string;
  name: string;
}

/** What the section "API at a glance" of a README says is exported, and from where. */
function namesIn(readme: string): Named[] {
  const section = /^## API at a glance\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(readme)?.[1] ?? '';
  let entry = '';
  return section.split('\n').flatMap(line => {
    entry = /^From `([^`]+)`/.exec(line)?.[1] ?? entry;
    const cell = /^\| (`[^|]*`) +\|/.exec(line)?.[1] ?? '';
    return [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => ({ entry, name }));
  });
}

/** The source of an entry point, as package.json has it. */
function sourceOf(folder: string, entry: string): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  const source = manifest.exports[entry.replace(manifest.name, '.')]?.['@x/source'];
  if (!source) throw new Error(`${folder}/package.json has no export ${entry}`);
  return join(ROOT, folder, source);
}

const readmes = PACKAGES.map(name => {
  const folder = `packages/${name}`;
  return { folder, names: namesIn(readFileSync(join(ROOT, folder, 'README.md'), 'utf8')) };
});

/** All names that a module exports, types too: there is no `export *` here, so its own text tells. */
function exportsOf(file: string): Set<string> {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext);
  return new Set(source.statements.flatMap(statement => namesOf(statement, source)));
}

function namesOf(statement: ts.Statement, source: ts.SourceFile): string[] {
  if (ts.isExportDeclaration(statement)) {
    const { exportClause } = statement;
    return exportClause && ts.isNamedExports(exportClause)
      ? exportClause.elements.map(({ name }) => name.getText(source))
      : [];
  }
  const modifiers = ts.canHaveModifiers(statement) ? (ts.getModifiers(statement) ?? []) : [];
  if (!modifiers.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => name.getText(source));
  }
  const { name } = statement as ts.Statement & { name?: ts.Identifier };
  return name ? [name.getText(source)] : [];
}

describe('the API at a glance of each package', () => {
  it('names nothing that the entry point has not', () => {
    const missing = readmes.flatMap(({ folder, names }) =>
      names
        .filter(({ entry, name }) => !exportsOf(sourceOf(folder, entry)).has(name))
        .map(({ entry, name }) => `${folder}: ${name} of ${entry}`),
    );
    expect(missing).toEqual([]);
  });

  it.each(readmes)('is there, in $folder', ({ names }) => {
    expect(names.length).toBeGreaterThan(3);
  });
});
