/** The rules of the source that neither the compiler nor the linter checks. */
import * as fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { projectRoot } from './support/project-root.js';

const ROOT = projectRoot();
const TREES = ['src', 'test', 'scripts'];

const FILE_LINES_MAX = 300;
const FUNCTION_LINES_MAX = 70;
/** Files that are longer, with the length they may not exceed. It may only shrink. */
const LONGER_FILES: Readonly<Record<string, number>> = {};
/** Functions that are longer: `path name` and the length they may not exceed. */
const LONGER_FUNCTIONS: Readonly<Record<string, number>> = {};

/** Each folder of src and the folders that it may import beside itself. */
const IMPORTS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  fuse: ['base'],
  'fuse-native': ['base', 'fuse'],
  rpc: ['base'],
  store: ['base'],
  objects: ['base'],
  feed: ['base', 'store'],
  mds: ['base', 'feed', 'rpc', 'store'],
  client: ['base', 'fuse', 'rpc', 'objects'],
  consumer: ['base'],
  bridges: ['base', 'rpc', 'feed', 'consumer'],
  cli: [
    'base',
    'fuse',
    'fuse-native',
    'rpc',
    'store',
    'objects',
    'feed',
    'mds',
    'client',
    'consumer',
    'bridges',
  ],
  'index.ts': ['consumer'],
};

/** Packages and the folders that alone may import them. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = { lmdb: ['store', 'cli', 'bridges'] };

interface Source {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

function walk(folder: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}

const sources: readonly Source[] = TREES.flatMap((tree) => walk(join(ROOT, tree)))
  .filter((path) => path.endsWith('.ts'))
  .map((path) => {
    const text = fs.readFileSync(path, 'utf8');
    return {
      path: relative(ROOT, path),
      text,
      tree: ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true),
    };
  });

function inTree(tree: string): readonly Source[] {
  return sources.filter(({ path }) => path.startsWith(`${tree}/`));
}

/** `fuse` of `src/fuse/wire/abi.ts`; `index.ts` of `src/index.ts`. */
function partOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** Every module that a file names in an import, export-from or import type. */
function importsOf({ tree }: Source): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const module = node.moduleSpecifier;
      if (module !== undefined && ts.isStringLiteral(module)) found.push(module.text);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [module] = node.arguments;
      if (module !== undefined && ts.isStringLiteral(module)) found.push(module.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** Line numbers (from 1) of the code, comments and strings left out, that match. */
function codeMatches({ tree }: Source, matches: (node: ts.Node) => boolean): number[] {
  const lines: number[] = [];
  const visit = (node: ts.Node): void => {
    if (matches(node)) lines.push(lineOf(tree, node.getStart(tree)));
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return lines;
}

function lineOf(tree: ts.SourceFile, position: number): number {
  return tree.getLineAndCharacterOfPosition(position).line + 1;
}

/** Matches `a.b` as an expression, such as `Date.now`. */
function property(object: string, name: string): (node: ts.Node) => boolean {
  return (node) =>
    ts.isPropertyAccessExpression(node) &&
    node.name.text === name &&
    ts.isIdentifier(node.expression) &&
    node.expression.text === object;
}

function none(problems: readonly string[]): void {
  assert.equal(problems, []);
}

test('imports go down only', () => {
  const problems: string[] = [];
  for (const source of inTree('src')) {
    const part = partOf(source.path);
    const allowed = IMPORTS[part];
    if (allowed === undefined) {
      problems.push(`${source.path}: src/${part} is not in the table of imports`);
      continue;
    }
    for (const module of importsOf(source)) {
      if (!module.startsWith('.')) {
        const owners = PACKAGES[module];
        if (owners !== undefined && !owners.includes(part)) {
          problems.push(`${source.path} imports the package ${module}`);
        }
        continue;
      }
      const target = join(dirname(source.path), module);
      const targetPart = partOf(target);
      const inside =
        target.startsWith('src/') && (targetPart === part || allowed.includes(targetPart));
      if (!inside) problems.push(`${source.path} imports ${target}`);
    }
  }
  none(problems);
});

test('files are short', () => {
  const problems = sources.flatMap(({ path, text }) => {
    const lines = text.split('\n').length - 1;
    const limit = LONGER_FILES[path] ?? FILE_LINES_MAX;
    return lines > limit ? [`${path}: ${lines} lines, at most ${limit}`] : [];
  });
  none(problems);
});

test('functions are short', () => {
  const problems: string[] = [];
  for (const { path, tree } of sources) {
    const visit = (node: ts.Node): void => {
      if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
        const lines = lineOf(tree, node.end) - lineOf(tree, node.getStart(tree)) + 1;
        const name = node.name?.getText(tree) ?? `at line ${lineOf(tree, node.getStart(tree))}`;
        const limit = LONGER_FUNCTIONS[`${path} ${name}`] ?? FUNCTION_LINES_MAX;
        if (lines > limit) problems.push(`${path} ${name}: ${lines} lines, at most ${limit}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(tree);
  }
  none(problems);
});

test('the lists of exceptions name what exists', () => {
  const paths = new Set(sources.map(({ path }) => path));
  const named = [...Object.keys(LONGER_FILES), ...Object.keys(LONGER_FUNCTIONS)];
  none(named.map((name) => name.split(' ')[0] ?? '').filter((path) => !paths.has(path)));
});

test('no any, no default export', () => {
  const problems = sources.flatMap((source) =>
    codeMatches(
      source,
      (node) =>
        node.kind === ts.SyntaxKind.AnyKeyword ||
        ts.isExportAssignment(node) ||
        (ts.canHaveModifiers(node) &&
          (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.DefaultKeyword)),
    ).map((line) => `${source.path}:${line}`),
  );
  none(problems);
});

test('time and randomness are parameters outside base and cli', () => {
  const [now, random] = [property('Date', 'now'), property('Math', 'random')];
  const problems = inTree('src')
    .filter(({ path }) => !['base', 'cli'].includes(partOf(path)))
    .flatMap((source) =>
      codeMatches(
        source,
        (node) => now(node) || random(node) || (ts.isNewExpression(node) && isEmptyDate(node)),
      ).map((line) => `${source.path}:${line}`),
    );
  none(problems);
});

function isEmptyDate(node: ts.NewExpression): boolean {
  const bare = node.arguments === undefined || node.arguments.length === 0;
  return bare && ts.isIdentifier(node.expression) && node.expression.text === 'Date';
}

test('tests wait for states, not for time', () => {
  // The one file that may: it looks again at what announces itself by no event.
  const allowed = ['test/support/processes.ts'];
  const problems = inTree('test')
    .filter(({ path }) => !allowed.includes(path) && !path.startsWith('test/bench/'))
    .flatMap((source) => {
      if (!importsOf(source).includes('node:timers/promises')) return [];
      return [`${source.path} imports node:timers/promises`];
    });
  none(problems);
});

test('every test file runs its tests, all of them', () => {
  const problems = sources
    .filter(({ path }) => path.endsWith('.test.ts'))
    .flatMap((source) => {
      const runs = codeMatches(source, (node) => isCallOf(node, 'run')).length > 0;
      const only = codeMatches(source, (node) => isCallOf(node, 'only'));
      return [
        ...(runs ? [] : [`${source.path}: no test.run()`]),
        ...only.map((line) => `${source.path}:${line}: only()`),
      ];
    });
  none(problems);
});

function isCallOf(node: ts.Node, method: string): boolean {
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    node.expression.name.text === method
  );
}

test('no notes to self, no path of one machine, no CRLF', () => {
  // Written so that this file does not match itself.
  const marks = [/\bTO[D]O\b/, /\bFIX[M]E\b/, /\bXX[X]\b/];
  const machine = [/["'`( ]\/(?:home|Users)\/\w/, /["'`( ]\/root\//];
  const problems = sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => {
      const bad = [...marks, ...machine, /\r/].some((pattern) => pattern.test(line));
      return bad ? [`${path}:${i + 1}: ${line.trim()}`] : [];
    }),
  );
  none(problems);
});

test('the lock files name no registry', () => {
  const folders = ['.', 'scripts/node24', 'scripts/fuse-native'];
  const locks = folders.map((folder) => join(folder, 'package-lock.json'));
  none(locks.filter((path) => fs.readFileSync(join(ROOT, path), 'utf8').includes('"resolved"')));
});

test.run();
