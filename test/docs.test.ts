/**
 * Runs every JavaScript snippet of the README and the guides, and checks that their links lead somewhere. What stands
 * behind `console.log(…); // →` must be what is printed.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { useBackend } from './support/backends.js';

const root = join(__dirname, '..');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'examples/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter((page) => existsSync(join(root, page)));

/** Code of the fenced blocks marked `js`. */
function snippetsOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map((match) => match[1]);
}

/** A module with top-level await, as the body of an async function. */
function runnable(code: string): string {
  return code
    .replace(/^import \* as (\w+) from '([^']+)';$/gm, "const $1 = require('$2');")
    .replace(/^import (\{[^}]+\}) from '([^']+)';$/gm, "const $1 = require('$2');")
    .replace(/^import '([^']+)';$/gm, "require('$1');");
}

describe.each(pages)('%s', (page) => {
  const snippets = snippetsOf(page);
  if (snippets.length > 0) {
    test.each(snippets.map((code, i) => [i + 1, code] as const))(
      'snippet %i runs',
      async (_, code) => {
        await useBackend('wasm');
        const print = jest.spyOn(console, 'log').mockImplementation(() => undefined);
        try {
          const body = new Function(
            'require',
            `return (async () => {\n${runnable(code)}\n})();`,
          ) as (load: NodeJS.Require) => Promise<void>;
          await body(require);
          const printed = print.mock.calls.map((values) => values.join(' '));
          for (const [, text] of code.matchAll(/console\.log\(.*\); \/\/ → (.*)$/gm)) {
            expect(printed).toContain(text);
          }
        } finally {
          print.mockRestore();
          tf.disposeVariables();
        }
      },
    );
  }

  test('its links lead somewhere', () => {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      expect([target, existsSync(join(root, dirname(page), target))]).toEqual([target, true]);
    }
  });
});
