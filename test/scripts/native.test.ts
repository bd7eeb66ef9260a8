/** `npm run native`: what it says before it touches anything. The ways to a working tfjs-node are run by .ci/run. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = mkdtempSync(join(tmpdir(), 'native-'));
const script = join(root, 'scripts', 'native.mjs');

/** Runs a copy of the script in a folder where nothing is installed. */
function native(args: string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

beforeAll(() => {
  mkdirSync(join(root, 'scripts'));
  copyFileSync(join(__dirname, '..', '..', 'scripts', 'native.mjs'), script);
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

test('--check says that tfjs-node is not there and how to get it', () => {
  const { status, stdout, stderr } = native(['--check']);
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toBe(
    'native: tfjs-node does not work here: it is not installed, or its binding is not built.\n' +
      "Run 'npm run native' to get it.\n",
  );
});

test('a wheel that is not there is refused before anything is installed', () => {
  const { status, stderr } = native([], { TFJS_NATIVE_WHEEL: '/nowhere/tensorflow.whl' });
  expect(status).toBe(1);
  expect(stderr).toBe(
    "native: TFJS_NATIVE_WHEEL must name a .whl file, got '/nowhere/tensorflow.whl'. " +
      "Fetch one with 'pip download --no-deps tensorflow-cpu==2.21.0'.\n",
  );
});

test('a file that is no wheel is refused too', () => {
  const file = join(root, 'wheel.zip');
  writeFileSync(file, '');
  expect(native([], { TFJS_NATIVE_WHEEL: file }).stderr).toContain(
    `must name a .whl file, got '${file}'`,
  );
});

test('an option that it does not know is an error', () => {
  const { status, stderr } = native(['--chek']);
  expect(status).toBe(1);
  expect(stderr).toBe("native: unknown option '--chek'. Known options: --check.\n");
});
