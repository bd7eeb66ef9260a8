/** Training, the model that is kept, and generating with it. */
import { check, waitForText, type PageTest } from './harness.js';
import { beginTraining, generate, stepOf, train, waitForBackend, waitForStep } from './steps.js';

/** After these steps … */
const STEPS = 60;
/** … the loss on names must be below this, in nats a letter. It begins at ln 56 = 4.03. */
const LOSS = 2.6;

/** The tests. */
export const tests: PageTest[] = [
  {
    name: 'trains until the loss has fallen, is kept over a reload, and generates',
    async body(open) {
      const { page, screenshot } = await open({ view: 'train', isolated: true });
      await beginTraining(page, STEPS);
      // The page answers while the worker computes: a timer of 10 ms is never kept waiting for long.
      await page.evaluate(() => {
        const gaps: number[] = [];
        let last = performance.now();
        setInterval(() => {
          gaps.push(performance.now() - last);
          last = performance.now();
        }, 10);
        Object.assign(globalThis, { gaps });
      });
      await waitForText(page, '#train-status', /^Finished after 60 steps/);
      const gaps = await page.evaluate(() => (globalThis as unknown as { gaps: number[] }).gaps);
      const median = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)];
      check(median < 100, () => `the page must stay responsive, a timer took ${median} ms.`);

      const figures = (await page.locator('#train-figures dd').allTextContents()).map(Number);
      const [step, loss, validation, speed] = figures;
      check(step === STEPS, () => `the figures must be of step ${STEPS}, got ${step}.`);
      check(loss > 1 && loss < LOSS, () => `the loss must be below ${LOSS}, got ${loss}.`);
      check(validation > 1 && validation < LOSS, () => `validation loss: ${validation}.`);
      check(speed > 0, () => `tokens a second: ${speed}.`);
      const samples = await page.locator('#train-samples li').allTextContents();
      check(samples.length === 10, () => `there must be 10 samples, got ${samples.join('\n')}`);
      check(/^After step 60: \w+ · /.test(samples[0]), () => `sample: ${samples[0]}`);
      const label = await page.getAttribute('#train-curve', 'aria-label');
      check(label === `Loss curve: ${loss.toFixed(3)} after step 60`, () => `curve: ${label}`);
      await screenshot('train');

      const before = await generate(page, { temperature: '0.7', seed: '5' });
      check(before.length === 8, () => `eight rows must be written, got ${before.length}.`);
      check(
        before.every((row) => row.startsWith('<start>')),
        () => `rows: ${before.join('\n')}`,
      );
      await page.reload();
      await waitForText(page, '#model-description', /103,680 weights, a vocabulary of 56/);
      const after = await generate(page, { temperature: '0.7', seed: '5' });
      check(after.join() === before.join(), () => `the kept model writes ${after.join()}`);
      const others = await generate(page, { temperature: '0.7', seed: '6' });
      check(others.join() !== before.join(), () => 'another seed must give other names.');
      await screenshot('generate');
    },
  },
  {
    name: 'shows the attention of the token under the cursor, by mouse and by keys',
    async body(open) {
      const { page, screenshot } = await open({ view: 'train' });
      await train(page, 20);
      await generate(page, { prompt: 'Mar', count: '2' });
      const tokens = page.locator('.written-row >> nth=1').locator('.token');
      await tokens.nth(3).hover();
      const text = await page.textContent('#attention-text');
      // The weights of <start>, M, a, from which the r was written, add up to 1; nothing after it has any.
      check(/^When it wrote “r” it looked at “.+”/.test(text!), () => text!);
      const sum = [...text!.matchAll(/(\d+) %/g)].reduce((sum, [, part]) => sum + Number(part), 0);
      check(Math.abs(sum - 100) <= 2, () => `the weights must add up to 100 %: ${text}`);
      check(!/%.*%.*%.*%/.test(text!), () => `three tokens come before the r: ${text}`);

      await page.selectOption('#attention-layer', 'block_0/self_attention');
      await page.selectOption('#attention-head', '2');
      const ofHead = await page.textContent('#attention-text');
      check(ofHead !== text, () => 'another head must look elsewhere.');
      await screenshot('attention');
      await tokens.nth(3).focus();
      await page.keyboard.press('ArrowRight');
      await waitForText(page, '#attention-text', /^When it wrote “.+” it looked at .*“r”/);
      await page.keyboard.press('ArrowUp');
      const row = await page.evaluate(() => document.activeElement?.parentElement?.previousSibling);
      check(row === null, () => 'the arrow must lead into the first row.');
      await page.keyboard.press('Home');
      await waitForText(page, '#attention-text', /No attention/); // nothing comes before the first token
    },
  },
  {
    name: 'pauses, resumes, stops, and goes on after a reload',
    async body(open) {
      const { page } = await open({ view: 'train' });
      await beginTraining(page, 2000);
      await waitForStep(page, 5);
      await page.click('text=Pause');
      await waitForText(page, '#train-status', /^Paused/);
      await page.waitForTimeout(500); // what was under way
      const paused = await stepOf(page);
      await page.waitForTimeout(1000);
      check((await stepOf(page)) === paused, () => 'a paused run must not go on.');
      await page.click('text=Resume');
      await waitForStep(page, paused + 5);
      await page.click('text=Stop');
      const text = await waitForText(page, '#train-status', /^Stopped after step \d+/);
      const stopped = Number(/\d+/.exec(text)![0]);
      check(stopped < 2000, () => text);
      await waitForText(page, '#model-description', /weights/);

      await page.reload();
      await waitForText(
        page,
        '#train-status',
        new RegExp(`interrupted at step ${stopped} of 2000`),
      );
      await page.click(`text=Go on from step ${stopped} of 2000`);
      await waitForStep(page, stopped + 5);
      await page.click('text=Stop');
      await waitForText(page, '#train-status', /^Stopped after step/);
    },
  },
  {
    name: 'stops writing in the middle, and writes while a model is in training',
    async body(open) {
      const { page } = await open({ view: 'train' });
      await beginTraining(page, 5000);
      await waitForStep(page, 5);
      await page.click('#tab-generate');
      await page.fill('#generate-count', '50');
      await page.fill('#generate-length', '2000');
      await page.fill('#generate-temperature', '3');
      await page.click('#generate-main');
      await page.waitForSelector('.token.new');
      await page.click('#generate-main');
      const text = await waitForText(page, '#generate-status', /^Stopped after \d+ tokens/);
      const shown = await page.locator('.token.new').count();
      check(text.includes(` ${shown} `), () => `${text} ${shown} are shown.`);
      const rows = await page.locator('.written-row').count();
      check(rows < 50, () => 'it must have been stopped in the middle.');
      await page.click('#tab-train');
      const step = await stepOf(page);
      await waitForStep(page, step + 5); // training went on by itself
      await page.click('#train-stop');
      await waitForText(page, '#train-status', /^Stopped/);
    },
  },
  {
    name: "learns from people's own text, and says when it is too little",
    async body(open) {
      const { page } = await open({ view: 'train' });
      await waitForBackend(page);
      await page.setInputFiles('#train-open-files', {
        name: 'verse.txt',
        mimeType: 'text/plain',
        buffer: Buffer.from('the cat sat on the mat. '),
      });
      await waitForText(page, '#train-main', /Train/);
      await page.waitForFunction(
        () => document.querySelector<HTMLTextAreaElement>('#train-text')!.value.length < 30,
      );
      await page.click('#train-main');
      await waitForText(page, '#train-status', /at least 1000 characters, got 24/);
      await page.fill('#train-text', 'the cat sat on the mat. '.repeat(200));
      await train(page, 60);
      const [row] = await generate(page, { prompt: 'the cat', count: '1', temperature: '0', length: '16' }); // prettier-ignore
      check(row === 'the cat sat on the mat.', () => `it wrote '${row}'.`);
    },
  },
];
