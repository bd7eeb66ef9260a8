/**
 * describe, test and hooks as far as our suites use them, with jest's meaning: bodies of `describe` run first and only
 * collect; then tests run one after another in the order of the file, hooks around them from the outside in.
 */
import { expect } from 'expect';
import { ModuleMocker } from 'jest-mock';
import { repeatRandom } from '../support/repeatable_random.js';

type Body = () => unknown;

interface Test {
  title: string;
  body: Body;
  timeout: number | undefined;
}

interface Block {
  title: string;
  parent: Block | null;
  children: (Block | Test)[];
  hooks: Record<'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach', Body[]>;
}

/** What became of one test. */
export interface TestResult {
  /** Titles of its blocks and its own, with a space between them. */
  fullName: string;
  status: 'passed' | 'failed';
  /** Text of the error; empty when it passed. */
  message: string;
  milliseconds: number;
}

const TIMEOUT = 60_000;

const root = newBlock('', null);
let current = root;

function newBlock(title: string, parent: Block | null): Block {
  const hooks = { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] };
  return { title, parent, children: [], hooks };
}

function describe(title: string, body: Body): void {
  const outer = current;
  current = newBlock(title, outer);
  outer.children.push(current);
  try {
    body();
  } finally {
    current = outer;
  }
}

function test(title: string, body: Body, timeout?: number): void {
  current.children.push({ title, body, timeout });
}

/** `f.each(rows)(title, body)`: a row that is no array is the only argument. */
function each(define: (title: string, body: Body) => void) {
  return (rows: readonly unknown[]) =>
    (title: string, body: (...row: never[]) => unknown): void => {
      rows.forEach((row, i) => {
        const values = (Array.isArray(row) ? row : [row]) as never[];
        define(formatTitle(title, values, i), () => body(...values));
      });
    };
}

/** `%s`, `%d`, `%i`, `%j`, `%p` take the values in order, `%#` the number of the row. */
function formatTitle(title: string, values: unknown[], row: number): string {
  let next = 0;
  return title.replace(/%([sdijp#%])/g, (text, kind: string) => {
    if (kind === '%') return '%';
    if (kind === '#') return String(row);
    if (next >= values.length) return text;
    const value = values[next++];
    return kind === 'j' || kind === 'p' || typeof value === 'object'
      ? JSON.stringify(value)
      : String(value as string | number);
  });
}

const hook =
  (name: keyof Block['hooks']) =>
  (body: Body): void =>
    void current.hooks[name].push(body);

/** Makes the functions global, as jest does. */
export function installGlobals(): void {
  Object.assign(globalThis, {
    describe: Object.assign(describe, { each: each(describe) }),
    test: Object.assign(test, { each: each(test) }),
    it: test,
    expect,
    jest: new ModuleMocker(globalThis), // fn, spyOn
    beforeAll: hook('beforeAll'),
    afterAll: hook('afterAll'),
    beforeEach: hook('beforeEach'),
    afterEach: hook('afterEach'),
  });
}

/**
 * Runs what was collected.
 *
 * @param wanted Whether to run the test of that full name.
 * @param report Gets each result when it is there.
 */
export async function runTests(
  wanted: (fullName: string) => boolean,
  report: (result: TestResult) => void | Promise<void>,
): Promise<void> {
  await runBlock(root, [], null);

  /** `broken` is the error of a `beforeAll` outside: every test within fails by it. */
  async function runBlock(block: Block, titles: string[], broken: Error | null): Promise<void> {
    if (!holdsWanted(block, titles)) return;
    for (const body of block.hooks.beforeAll) broken ??= await outcome(body);
    for (const child of block.children) {
      const names = [...titles, child.title];
      if ('children' in child) await runBlock(child, names, broken);
      else if (wanted(names.join(' '))) await runTest(child, block, names.join(' '), broken);
    }
    for (const body of block.hooks.afterAll) {
      const error = await outcome(body);
      if (!error) continue;
      const fullName = [...titles, 'afterAll'].join(' ');
      await report({ fullName, status: 'failed', message: textOf(error), milliseconds: 0 });
    }
  }

  async function runTest(
    { body, timeout }: Test,
    block: Block,
    fullName: string,
    broken: Error | null,
  ): Promise<void> {
    const start = performance.now();
    const around: Block[] = [];
    for (let b: Block | null = block; b; b = b.parent) around.unshift(b);
    repeatRandom();
    let error = broken;
    for (const before of around.flatMap((b) => b.hooks.beforeEach)) error ??= await outcome(before);
    error ??= await outcome(body, timeout);
    for (const after of around.reverse().flatMap((b) => b.hooks.afterEach)) {
      const late = await outcome(after);
      error ??= late;
    }
    await report({
      fullName,
      status: error ? 'failed' : 'passed',
      message: error === null ? '' : textOf(error),
      milliseconds: performance.now() - start,
    });
  }

  function holdsWanted(block: Block, titles: string[]): boolean {
    return block.children.some((child) => {
      const names = [...titles, child.title];
      return 'children' in child ? holdsWanted(child, names) : wanted(names.join(' '));
    });
  }
}

/** The error of a body, null when there is none. */
async function outcome(body: Body, timeout = TIMEOUT): Promise<Error | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${timeout} ms.`)), timeout);
  });
  try {
    await Promise.race([body(), late]);
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    clearTimeout(timer);
  }
}

/** Message of an error and of those that caused it: fast-check wraps the error of a property. */
function textOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}\n${textOf(error.cause)}` : error.message;
}
