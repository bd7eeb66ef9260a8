/** Runs one test file on one backend, both named by the address: in the page, on webgpu in workers of the page. */
import { registerRemoteBackend } from './remote_backend.js';
import { makeLine, type Line } from './remote_call.js';
import { installGlobals, runTests, type TestResult } from './runner.js';
import { serveWebGPU } from './webgpu_worker.js';

declare global {
  /** Functions that run.ts provides in the page. */
  var reportResult: (result: TestResult) => Promise<void>;
  var reportEnd: (error: string) => Promise<void>;
}

/** Test files by their path; a file is evaluated when it is called. */
type Files = Record<string, () => Promise<unknown>>;

/** What a worker tells the page. */
type Message = { started: true } | { result: TestResult } | { end: string };

const address = new URLSearchParams(location.search);
const role = address.get('role') ?? 'page';

/**
 * Starts what this page or worker is for.
 *
 * @param files All test files of the bundle.
 */
export async function start(files: Files): Promise<void> {
  if (role !== 'page') {
    onmessage = async ({ data: line }: MessageEvent<Line>) => {
      if (role === 'webgpu') {
        await serveWebGPU(line);
        postMessage({ started: true } satisfies Message);
      } else {
        registerRemoteBackend(line);
        const report = (result: TestResult): void => postMessage({ result } satisfies Message);
        postMessage({ end: await runFile(files, report) } satisfies Message);
      }
    };
  } else if (address.get('backend') === 'webgpu') {
    startWorkers();
  } else {
    await reportEnd(await runFile(files, reportResult));
  }
}

/** Loads the test file and runs its tests of this backend; returns the text of an error outside of tests. */
async function runFile(
  files: Files,
  report: (result: TestResult) => void | Promise<void>,
): Promise<string> {
  const onBackend = `[${address.get('backend')}]`;
  const pattern = new RegExp(address.get('pattern')!);
  try {
    installGlobals();
    await files[address.get('file')!]();
    await runTests((name) => name.includes(onBackend) && pattern.test(name), report);
    return '';
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

/** One worker has the device, one runs the tests, and calls the other. */
function startWorkers(): void {
  const { caller, answerer } = makeLine();
  const device = open('webgpu', answerer);
  device.addEventListener('message', () => {
    const tests = open('tests', caller);
    tests.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      if ('result' in data) void reportResult(data.result);
      if ('end' in data) void reportEnd(data.end);
    });
  });
}

function open(name: string, line: Line): Worker {
  const worker = new Worker(`/tests.js${location.search}&role=${name}`, { type: 'module' });
  worker.addEventListener('error', (event) => void reportEnd(`${name} worker: ${event.message}`));
  worker.postMessage(line, [line.port]);
  return worker;
}
