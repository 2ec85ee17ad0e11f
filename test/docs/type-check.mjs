// Type-checks modules against the sources of the workspace, all in one program.
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../../scripts/workspace.mjs';
import { foldersFor } from './modules.mjs';

/** What a user's strict project has, but for the condition that leads to the sources. */
const OPTIONS = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  customConditions: ['@x/source'],
  types: ['node'],
  typeRoots: [join(ROOT, 'node_modules/@types')],
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
};

/**
 * @param modules as `modulesOf` gives them
 * @returns one line an error: `file:line: message`
 */
export function typeErrorsOf(modules) {
  const byPath = new Map(modules.map((module, index) => [join(ROOT, `test/docs/fence-${index}.ts`), module]));
  const program = ts.createProgram([...byPath.keys()], OPTIONS, hostFor(byPath));
  return [...byPath].flatMap(([path, module]) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start = 0, messageText }) => {
      const line = module.lines[source.getLineAndCharacterOfPosition(start).line] ?? module.line;
      return `${module.file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

function hostFor(byPath) {
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, getSourceFile } = host;
  const cache = ts.createModuleResolutionCache(ROOT, name => name, OPTIONS);
  host.fileExists = path => byPath.has(path) || fileExists(path);
  host.getSourceFile = (path, options, ...rest) =>
    byPath.has(path)
      ? // A module, even where it neither imports nor exports.
        ts.createSourceFile(path, `${byPath.get(path).code}\nexport {};\n`, options)
      : getSourceFile(path, options, ...rest);
  host.resolveModuleNameLiterals = (literals, containing, redirected, options, source) =>
    literals.map(literal => {
      const mode = ts.getModeForUsageLocation(source, literal, options);
      const module = byPath.get(containing);
      let result;
      for (const from of module ? foldersFor(module.file) : [containing]) {
        result = ts.resolveModuleName(literal.text, from, options, host, cache, redirected, mode);
        if (result.resolvedModule) break;
      }
      return result;
    });
  return host;
}
