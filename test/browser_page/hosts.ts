/** The page on different hosts, without a network, and on different backends. */
import { check, waitForText, type Opened, type PageTest } from './harness.js';
import { beginTraining, generate, stepOf, train, waitForBackend, waitForStep } from './steps.js';

/** The same page on each kind of host: it trains, on the wasm build that the host allows. */
function onHost(minified: boolean, isolated: boolean): PageTest {
  const name = `${minified ? 'minified' : 'not minified'}, ${isolated ? 'isolated' : 'not isolated'}`;
  return {
    name: `trains with the wasm kernels where it is ${name}`,
    async body(open) {
      const opened = await open({ minified, isolated, view: 'train' });
      const { page, requests } = opened;
      await train(page, 10);
      check((await page.evaluate(() => crossOriginIsolated)) === isolated, () => 'isolated?');
      const files = requests.filter((path) => path.endsWith('.wasm'));
      const threaded = files.some((path) => path.includes('threaded-simd'));
      check(threaded === isolated, () => `wasm files: ${files.join()}`);
      const remark = await remarkOf(opened, 'wasm');
      // No second start without threads, and no advice to import the kernels.
      check(remark === 'in use. wasm runs.', () => `remark: ${remark}`);
      check(
        requests.every((path) => path.startsWith('/some/folder/')),
        () => `requests outside of the folder: ${requests.join()}`,
      );
    },
  };
}

/** The tests. */
export const tests: PageTest[] = [
  onHost(true, true),
  onHost(true, false),
  onHost(false, true),
  onHost(false, false),
  {
    name: 'trains and generates without a network after the first load',
    async body(open) {
      const { page, server, errors } = await open({ view: 'train', offline: true, isolated: true });
      await page.evaluate(async () => navigator.serviceWorker.ready);
      await waitForBackend(page);
      await server.stop();
      await page.reload();
      await train(page, 10);
      const rows = await generate(page, { count: '2' });
      check(rows.length === 2, () => rows.join());
      await page.goto(page.url().replace('#generate', '#masks'));
      await page.waitForSelector('#view-masks :first-child');
      check(await page.evaluate(() => crossOriginIsolated), () => 'it must still be isolated.');
      check(errors.length === 0, () => errors.join('\n'));
    },
  },
  {
    name: 'switches backends: the model comes along, and writes the same',
    async body(open) {
      const opened = await open({ view: 'train' });
      const { page, screenshot } = opened;
      await train(page, 20);
      const options = { prompt: 'Al', count: '1', temperature: '0', length: '5' };
      const [onWasm] = await generate(page, options);
      await page.selectOption('#backend', 'webgl');
      await waitForText(page, '#backend-status', /takes [\d,.]+ ms on webgl/);
      const [onWebgl] = await generate(page, options);
      check(onWebgl === onWasm, () => `wasm: ${onWasm}, webgl: ${onWebgl}`);
      await page.click('.backend summary');
      await screenshot('backends');
      const remark = await remarkOf(opened, 'webgl');
      check(remark.startsWith('in use. webgl runs.'), () => remark);
    },
  },
  {
    name: 'goes on with a run on another backend',
    async body(open) {
      const { page } = await open({ view: 'train', query: '?backend=webgl' });
      await beginTraining(page, 500);
      await waitForStep(page, 5);
      await page.selectOption('#backend', 'wasm');
      await page.waitForFunction(
        () => document.querySelector<HTMLSelectElement>('#backend')!.value === 'wasm',
      );
      const step = await stepOf(page);
      await waitForStep(page, step + 20);
      await waitForText(page, '#train-status', /^Training/);
    },
  },
  {
    name: 'falls back when a backend does not start in time, and says why',
    async body(open) {
      const { page } = await open({ view: 'train', silentFor: /\.wasm$/ });
      const text = await waitForText(page, '#backend-status', /So this page computes on webgl/);
      check(/wasm: .*did not start within 6 s/.test(text), () => text);
      await waitForBackend(page);
    },
  },
  {
    name: 'measures on the first visit, not on the second, and again when asked',
    async body(open) {
      const { page } = await open({ view: 'train', query: '' });
      await waitForBackend(page);
      await page.waitForSelector('#backend:not([disabled])');
      const first = await waitForText(page, '#backend-status', /takes [\d.]+ ms on wasm/);
      await page.reload();
      await page.waitForSelector('#backend:not([disabled])');
      const second = await waitForText(page, '#backend-status', /takes/);
      check(first === second, () => `first: ${first}, second: ${second}`);
      await page.click('.backend summary');
      await page.click('#measure-again');
      await waitForText(page, '#backend-status', /Measuring/);
      await page.waitForSelector('#backend:not([disabled])');
    },
  },
];

/** What the table of backends says about one. */
async function remarkOf({ page }: Opened, name: string): Promise<string> {
  return (await page.textContent(`.backend tr:has(th:text-is("${name}")) td:last-child`))!;
}
