/** The repository's own rules: which folder may import which, what every file and every exported name must have. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import * as ts from 'typescript';

const root = join(__dirname, '..');

/** A folder of `src` imports only folders of lower numbers. */
const levels: Record<string, number> = {
  util: 0,
  masks: 1,
  tokenizers: 1,
  backends: 1,
  ops: 2,
  kernels: 3,
  cache: 3,
  layers: 4,
  models: 5,
  generation: 6,
  training: 6,
  pretrained: 6,
  visualize: 6,
  testing: 6,
};

/**
 * Public source files whose tests are in a file of another name, and where. The rule is one stem
 * (`src/ops/rotary.ts`, `test/ops/rotary.test.ts`); these are tested with what they only make sense beside.
 */
const testedIn: Record<string, string> = {
  'src/masks/and.ts': 'test/masks/combine.test.ts',
  'src/masks/or.ts': 'test/masks/combine.test.ts',
  'src/masks/causal.ts': 'test/masks/fixtures.test.ts',
  'src/masks/padding.ts': 'test/masks/fixtures.test.ts',
  'src/masks/prefix.ts': 'test/masks/fixtures.test.ts',
  'src/masks/segments.ts': 'test/masks/fixtures.test.ts',
  'src/masks/sliding_window.ts': 'test/masks/fixtures.test.ts',
  'src/masks/to_bool.ts': 'test/masks/combine.test.ts',
  'src/ops/attention_reference.ts': 'test/contract/attention.test.ts',
  'src/ops/dot_product_attention.ts': 'test/contract/attention.test.ts',
  'src/testing/check_error.ts': 'test/testing/check_layer.test.ts',
  'src/training/compute_gradients.ts': 'test/training/fixtures.test.ts',
  'src/training/dataset.ts': 'test/training/text_dataset.test.ts',
  'src/training/storage.ts': 'test/training/checkpoint.test.ts',
  'src/visualize/side_by_side.ts': 'test/visualize/text.test.ts',
};

interface Package {
  exports: Record<string, string | Record<string, string>>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  sideEffects: string[];
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;

/** Paths of the TypeScript files below a folder, from the repository's root, with forward slashes. */
function filesIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name))
    .filter((entry) => !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replace(/\\/g, '/'))
    .sort();
}

interface Import {
  from: string;
  specifier: string;
  /** The file in the repository that a relative specifier means. */
  target?: string;
}

/** What a file imports: `import`, `import type`, `export … from`, `import()` and `require` of a literal. */
function importsOf(file: string): Import[] {
  return ts
    .preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
    .importedFiles.map(({ fileName: specifier }) => {
      if (!specifier.startsWith('.')) return { from: file, specifier };
      return {
        from: file,
        specifier,
        target: posix.join(posix.dirname(file), specifier.replace(/\.js$/, '.ts')),
      };
    });
}

/** Entry files of the package: the sources of what `exports` names. */
const entries = Object.values(manifest.exports)
  .filter((target) => typeof target === 'object')
  .map((target) => target.import.replace(/^\.\/dist\/esm\/(.*)\.js$/, 'src/$1.ts'));

// AssemblyScript, and what it is compiled to, have rules of their own.
const sources = filesIn('src').filter((file) => !/assembly\/|wasm\/binary\.ts/.test(file));
const imports = sources.flatMap(importsOf);
const folderOf = (file: string) => (file.split('/').length > 2 ? file.split('/')[1] : '');

describe('imports', () => {
  test('every folder of src has a level', () => {
    expect(
      [...new Set(sources.map(folderOf))].filter((folder) => folder !== '' && !(folder in levels)),
    ).toEqual([]);
  });

  test('a folder imports only itself and folders of lower levels', () => {
    const wrong = imports.filter(({ from, target }) => {
      if (target === undefined || folderOf(from) === '') return false;
      const [a, b] = [folderOf(from), folderOf(target)];
      return a !== b && !(levels[b] < levels[a]);
    });
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test('no file imports itself by way of others', () => {
    // Types too: two files that need each other are one concept, or want a third.
    const targets = new Map(sources.map((file) => [file, [] as string[]]));
    for (const { from, target } of imports) if (target) targets.get(from)!.push(target);
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
      if (done.has(file) || path.includes(file)) return;
      for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    };
    sources.forEach((file) => visit(file, []));
    expect(cycles).toEqual([]);
  });

  test('relative imports name a file that exists, with the ending .js', () => {
    const everything = [
      ...imports,
      ...['test', 'examples', 'bench'].flatMap(filesIn).flatMap(importsOf),
    ];
    const wrong = everything.filter(
      ({ specifier, target }) =>
        target !== undefined && !(specifier.endsWith('.js') && existsSync(join(root, target))),
    );
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test('src imports only what a user of the package has', () => {
    // The kernels for tfjs-node run nowhere but in Node.
    const inNode = ({ from, specifier }: Import) =>
      from.startsWith('src/kernels/node/') && specifier.startsWith('node:');
    const installed = { ...manifest.dependencies, ...manifest.peerDependencies };
    const wrong = imports.filter(
      (one) => one.target === undefined && !(one.specifier in installed) && !inNode(one),
    );
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test('only an entry registers kernels, and nothing imports the main entry', () => {
    const wrong = imports.filter(
      ({ from, target = '' }) =>
        (/^src\/kernels\/\w+\/register\.ts$/.test(target) && !entries.includes(from)) ||
        target === 'src/index.ts',
    );
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });

  test('examples import the package by its name', () => {
    const wrong = filesIn('examples')
      .flatMap(importsOf)
      .filter(({ target = '' }) => !/^(examples\/|$)/.test(target));
    expect(wrong.map(({ from, specifier }) => `${from} imports ${specifier}`)).toEqual([]);
  });
});

describe('package.json', () => {
  test('every entry has a source, and ESM and CommonJS are built from the same one', () => {
    for (const [name, target] of Object.entries(manifest.exports)) {
      if (name === './package.json') continue;
      expect(Object.keys(target)).toEqual(['import', 'require']);
      const { import: esm, require: cjs } = target as Record<string, string>;
      expect(cjs).toBe(esm.replace('/esm/', '/cjs/'));
    }
    expect(entries.filter((file) => !sources.includes(file))).toEqual([]);
  });

  test('a file at the top of src is an entry', () => {
    expect(sources.filter((file) => folderOf(file) === '' && !entries.includes(file))).toEqual([]);
  });

  test('a file that registers a layer is marked as having side effects', () => {
    // Not so in training: an optimizer is read back only by a program that trains, and an inference page must not pay.
    const marked = manifest.sideEffects.map(
      (glob) => new RegExp(`^${glob.replace(/[.]/g, '\\.').replace(/\*/g, '[^/]*')}$`),
    );
    const wrong = sources
      .filter((file) => folderOf(file) !== 'training')
      .filter((file) =>
        /^\s*(tf|tfl)\.serialization\.registerClass\(/m.test(
          readFileSync(join(root, file), 'utf8'),
        ),
      )
      .filter((file) => {
        const built = file.replace(/^src\/(.*)\.ts$/, './dist/esm/$1.js');
        return !marked.some((pattern) => pattern.test(built));
      });
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  test('names are in snake_case', () => {
    const all = [...sources, ...filesIn('test'), ...filesIn('examples'), ...filesIn('bench')];
    expect(
      all.filter(
        (file) => !/^([a-z0-9_.-]+\/)+[a-z0-9_]+(\.test|\.suite|\.d|\.config)?\.ts$/.test(file),
      ),
    ).toEqual([]);
  });

  test('none in src has more than 400 lines', () => {
    const long = sources
      .map((file) => ({
        file,
        lines: readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length,
      }))
      .filter(({ lines }) => lines > 400);
    expect(long).toEqual([]);
  });

  test('each in src is tested: public ones under their own stem or as testedIn says, parts by their folder', () => {
    const tests = filesIn('test').filter((file) => file.endsWith('.test.ts'));
    const ownTest = (file: string) => file.replace(/^src\/(.*)\.ts$/, 'test/$1.test.ts');
    const published = new Set(
      sources.filter((file) => posix.basename(file) === 'index.ts').flatMap(valuesPassedOnBy),
    );
    // The lowest folders are tested by those above them too.
    const nearby = (file: string) =>
      tests.filter((test) => levels[folderOf(file)] <= 1 || folderOf(test) === folderOf(file));
    const untested = sources.filter((file) => {
      if (posix.basename(file) === 'index.ts' || declaresOnlyTypes(file)) return false;
      if (tests.includes(ownTest(file)) || file in testedIn) return false;
      return published.has(file) || !nearby(file).some((test) => reaches(test, file));
    });
    expect(untested).toEqual([]);
    const stale = Object.entries(testedIn).filter(
      ([file, place]) =>
        !sources.includes(file) || tests.includes(ownTest(file)) || !reaches(place, file),
    );
    expect(stale).toEqual([]);
  });
});

/** The files from which an index passes on more than types. */
function valuesPassedOnBy(index: string): string[] {
  return parse(index).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined) return [];
    const names = statement.exportClause;
    const onlyTypes =
      statement.isTypeOnly ||
      (names !== undefined &&
        ts.isNamedExports(names) &&
        names.elements.every((name) => name.isTypeOnly));
    const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
    return onlyTypes ? [] : [posix.join(posix.dirname(index), specifier.replace(/\.js$/, '.ts'))];
  });
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ES2022);
}

/** Whether a file has nothing that runs. */
function declaresOnlyTypes(file: string): boolean {
  return parse(file).statements.every(
    (statement) =>
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      ts.isImportDeclaration(statement),
  );
}

/** Whether a test file exists and imports a source file, itself or by way of others. */
function reaches(test: string, file: string): boolean {
  const seen = new Set<string>();
  const queue = [test];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (next === file) return true;
    if (seen.has(next) || !existsSync(join(root, next))) continue;
    seen.add(next);
    for (const { specifier, target } of importsOf(next)) {
      if (target !== undefined) queue.push(target);
      else if (specifier === 'tfjs-transformers') queue.push('src/index.ts');
      else if (specifier === 'tfjs-transformers/node') queue.push('src/kernels/node/index.ts');
      else if (specifier === 'tfjs-transformers/testing') queue.push('src/testing/index.ts');
      else if (specifier === 'tfjs-transformers/wasm') queue.push('src/kernels/wasm/index.ts');
    }
  }
  return false;
}

describe('docstrings', () => {
  const config = ts.readConfigFile(join(root, 'tsconfig.build.json'), (path) =>
    ts.sys.readFile(path),
  );
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const program = ts.createProgram(
    sources.map((file) => join(root, file)),
    { ...options, noEmit: true, incremental: false, tsBuildInfoFile: undefined },
  );
  const checker = program.getTypeChecker();

  test('every exported name has one, and so has each public member of an exported class or interface', () => {
    const bare = sources.flatMap((file) => {
      const source = program.getSourceFile(join(root, file))!;
      const module = checker.getSymbolAtLocation(source);
      if (module === undefined) return [];
      return checker
        .getExportsOfModule(module)
        .flatMap((symbol) => undocumented(symbol, source))
        .map((name) => `${file}: ${name}`);
    });
    expect(bare).toEqual([]);
  });

  /** Names without a docstring among a symbol that a file declares and its members. */
  function undocumented(symbol: ts.Symbol, source: ts.SourceFile): string[] {
    const declarations = (symbol.declarations ?? []).filter(
      (node) => node.getSourceFile() === source,
    );
    // A name passed on from another file has its docstring there; a namespace is the file it stands for.
    if (declarations.length === 0 || symbol.flags & ts.SymbolFlags.Alias) return [];
    const own = hasDocs(symbol) ? [] : [symbol.name];
    const members = declarations.flatMap((node) =>
      ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) ? [...node.members] : [],
    );
    return own.concat(
      members
        .filter((member) => member.name !== undefined && !isExempt(member))
        .map((member) => checker.getSymbolAtLocation(member.name!)!)
        .filter((member) => !hasDocs(member))
        .map((member) => `${symbol.name}.${member.name}`),
    );
  }

  /** Members that users don't call, and those whose docstring is the base class' own. */
  function isExempt(member: ts.ClassElement | ts.TypeElement): boolean {
    const flags = ts.getCombinedModifierFlags(member);
    const hidden =
      ts.ModifierFlags.Private | ts.ModifierFlags.Protected | ts.ModifierFlags.Override;
    const name = member.name!;
    return (flags & hidden) !== 0 || ts.isPrivateIdentifier(name) || name.getText() === 'className';
  }

  function hasDocs(symbol: ts.Symbol): boolean {
    return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() !== '';
  }
});

test('CONTRIBUTING.md shows the same levels', () => {
  const page = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  const rows = [...page.matchAll(/^\| (\d) +\|([^|]*)\|/gm)].flatMap(([, level, folders]) =>
    [...folders.matchAll(/`(\w+)`/g)].map(([, folder]) => [folder, Number(level)]),
  );
  expect(Object.fromEntries(rows)).toEqual(levels);
});
