// The API reference: Markdown made of the docstrings of all public entry points. What is undocumented, or links to
// nothing, is an error.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application, LogLevel, ReflectionKind } from 'typedoc';
import { ROOT } from '../workspace.mjs';
import { entryPoints, folderOf } from './entry-points.mjs';
import { API_FOLDER } from './markdown.mjs';

/** Pages of their own; everything else stands on the page of what it belongs to. */
const DOCUMENTED = ['Class', 'Interface', 'Function', 'Variable', 'TypeAlias', 'Enum', 'Method'];

const MARKDOWN = {
  entryFileName: 'index',
  hidePageHeader: true,
  hideGroupHeadings: true,
  useCodeBlocks: true,
  expandParameters: true,
  sanitizeComments: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  tableColumnSettings: { hideSources: true, hideInherited: true, hideOverrides: true },
};

/**
 * Writes docs/api.
 * @throws Error when the docstrings have problems, each of which it has printed
 */
export async function writeApi() {
  const entries = entryPoints();
  const app = await Application.bootstrapWithPlugins({
    name: 'API',
    entryPoints: entries.map(({ file }) => join(ROOT, file)),
    tsconfig: join(ROOT, 'scripts/docs/tsconfig.json'),
    plugin: ['typedoc-plugin-markdown'],
    out: join(ROOT, API_FOLDER),
    readme: 'none',
    // The types are checked by another step of the gate.
    skipErrorChecking: true,
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    logLevel: LogLevel.Warn,
    sort: ['source-order'],
    requiredToBeDocumented: DOCUMENTED,
    packagesRequiringDocumentation: [...new Set(entries.map(({ name }) => packageOf(name)))],
    ...MARKDOWN,
  });
  const project = await app.convert();
  if (!project) throw new Error('typedoc could not read the sources; the reason stands above');
  name(project, entries);
  validate(app, project);
  const problems = app.logger.warningCount + app.logger.errorCount;
  if (problems > 0) throw new Error(`${problems} problems with docstrings; they stand above`);
  rmSync(join(ROOT, API_FOLDER), { recursive: true, force: true });
  await app.generateOutputs(project);
  for (const entry of entries) finishIndex(entry);
  writeFileSync(join(ROOT, API_FOLDER, 'index.md'), overview(entries));
}

/** The page of an entry point says what is imported. */
function finishIndex({ name }) {
  const file = join(ROOT, API_FOLDER, folderOf(name), 'index.md');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^# .*$/m, `# ${name}`));
}

const overview = entries => `# API reference

Made of the docstrings in the sources. What each entry point has:

| import | |
| --- | --- |
${entries.map(({ name, about }) => `| [\`${name}\`](${folderOf(name)}/index.md) | ${about} |`).join('\n')}
`;

const packageOf = name => name.split('/').slice(0, 2).join('/');

/** typedoc names modules by their folders. They come in the order of the entry points, but not of the same kind. */
function name(project, entries) {
  for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
    const [file] = project.getSymbolIdFromReflection(module)?.fileName?.split('\0') ?? [];
    const entry = entries.find(one => join(ROOT, one.file) === file);
    if (entry) module.name = folderOf(entry.name);
  }
}

/** typedoc looks for types that are not exported in one package alone, that of the project. */
function validate(app, project) {
  const packages = app.options.getValue('packagesRequiringDocumentation');
  app.options.setValue('validation', { notExported: false, notDocumented: true, invalidLink: true });
  app.validate(project);
  app.options.setValue('validation', { notExported: true, notDocumented: false, invalidLink: false });
  for (const packageName of packages) {
    project.packageName = packageName;
    app.validate(project);
  }
}
