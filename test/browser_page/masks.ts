/** The view that explains masks: what it says must be so. */
import type { Page } from 'playwright-core';
import { check, waitForText, type PageTest } from './harness.js';

/** The tests. */
export const tests: PageTest[] = [
  {
    name: 'a mask hides the future; switched off, the future leaks in',
    async body(open) {
      const { page, screenshot } = await open();
      await begin(page);
      await page.hover(cell('weights', 2, 3)); // sat → on
      await waitForText(page, '.inspector h3', /^sat → on$/);
      check((await value(page, 'bias')) === '−1e9', () => 'M of a hidden key');
      check((await value(page, 'exp')) === '0', () => 'exp of a hidden key');
      check((await value(page, 'weight')) === '0', () => 'weight of a hidden key');
      await waitForText(page, '[data-leak=future] b', /^0%$/);
      await waitForText(page, '[data-leak=padding] b', /^0%$/);
      check((await page.locator('.steps.four .leak').count()) === 0, () => 'nothing leaks.');
      await screenshot('masks');

      await page.click('[data-mask=causal]');
      await waitForText(page, '[data-leak=future] b', /^[1-9]\d%$/);
      await waitForText(page, '[data-leak=padding] b', /^0%$/);
      check((await value(page, 'bias')) === '0', () => 'M without the mask');
      check(Number(await value(page, 'weight')) > 0.5, () => 'this head looks at the next word.');
      check((await page.locator('.steps.four .leak').count()) === 15, () => '15 cells leak.');
      await screenshot('masks_leak');

      await page.click('[data-mask=padding]');
      await waitForText(page, '[data-leak=padding] b', /^[^0]/);
    },
  },
  {
    name: 'the proof: rows that must not notice a change have equal bits, whatever is typed',
    async body(open) {
      const { page } = await open();
      await begin(page);
      await waitForText(page, '.verdict', /all 5 other rows are equal to the last bit/);
      await expectStrip(page, 'both', '=====.  ');
      await expectStrip(page, 'padding', '!!!!!.  ');
      await page.fill('[data-proof=word]', 'moon');
      await page.selectOption('[data-proof=place]', '1');
      await waitForText(page, '.strips ins', /^moon$/);
      await waitForText(page, '.verdict', /1 of the 5 other rows/); // what stands behind may notice
      await expectStrip(page, 'both', '=.      ');

      await page.check('.segments input[value=left]'); // padding before the words
      await page.selectOption('[data-proof=place]', '0');
      await waitForText(page, '.verdict', /all 6 other rows are equal to the last bit/);
      await expectStrip(page, 'both', '.=======');
      await expectStrip(page, 'causal', '. !!!!!!');
      await page.click('[data-mask=padding]');
      await waitForText(page, '.verdict', /all 6 other rows notice/);
    },
  },
  {
    name: 'cells can be reached with the arrow keys, and read as sentences',
    async body(open) {
      const { page } = await open();
      await begin(page);
      await page.focus('[data-map=weights] [tabindex="0"]');
      await page.keyboard.press('Control+Home');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('ArrowRight');
      const label = await page.evaluate(() => document.activeElement!.getAttribute('aria-label'));
      check(
        /^query cat, key sat: score [−\d.]+, M −1e9, sum −1e9, exp 0, weight 0$/.test(label!),
        () => label!,
      );
      await waitForText(page, '.inspector h3', /^cat → sat$/);
      check((await page.locator('.picked').count()) === 7, () => 'the same cell in each step');
      const snapshot = await page.locator('[data-map=visible] [role=grid]').ariaSnapshot();
      check(/row/.test(snapshot) && /gridcell "query The, key cat: hidden"/.test(snapshot), () => snapshot); // prettier-ignore
      await page.keyboard.press('End');
      await waitForText(page, '.inspector h3', /^cat → PAD$/);
    },
  },
  {
    name: 'the larger the negative number, the less is left, down to nothing',
    async body(open) {
      const { page } = await open();
      await begin(page);
      await page.focus('#masks-strength');
      await page.keyboard.press('Home');
      await waitForText(page, '.strength-value', /^0$/);
      const shares = async (): Promise<string[]> =>
        page.locator('.hidden-word .share').allTextContents();
      const before = await shares();
      check(before.length === 5 && !before.includes('0%'), () => `M = 0: ${before}`);
      await page.keyboard.press('End');
      await waitForText(page, '.strength-value', /^−1e9$/);
      await waitForText(page, '.fading-panel .remark', /It is 0; not nearly 0/);
      check(
        (await shares()).every((share) => share === '0%'),
        () => 'M = −1e9 leaves nothing.',
      );
    },
  },
  {
    name: 'takes any sentence, in English and Chinese',
    async body(open) {
      const { page } = await open();
      await begin(page);
      await page.fill('#masks-sentence', ' ');
      await waitForText(page, '.inputs .hint', /^Type at least one word\.$/);
      await page.fill('#masks-sentence', '<b>one</b>');
      await waitForText(page, '.fading', /one/);
      check((await page.locator('.masks b:text-is("one")').count()) === 0, () => 'text is text.');
      await page.fill('#masks-sentence', 'a b c d e f g h i j k l m n o p');
      await waitForText(page, '.inputs .hint', /Only the first 12 words are drawn/);
      await page.fill('#masks-sentence', '我们喜欢看电影');
      await waitForText(page, '.fading', /我们.*喜欢.*看.*电影/);
      await page.selectOption('.switches select >> nth=0', 'zh');
      await waitForText(page, '.claim', /隐身/);
      check((await page.inputValue('#masks-sentence')) === '我们喜欢看电影', () => 'it stays.');
    },
  },
];

async function begin(page: Page): Promise<void> {
  await page.waitForSelector('[data-map=weights] .cell');
  await page.waitForSelector('.strips td');
}

function cell(map: string, query: number, key: number): string {
  return `[data-map=${map}] [data-query="${query}"][data-key="${key}"]`;
}

async function value(page: Page, name: string): Promise<string | null> {
  return page.textContent(`[data-inspector] [data-value=${name}] dd`);
}

/** @param marks `=` equal bits, `!` leaks, `.` the change itself; words that may notice and padding are blank. */
async function expectStrip(page: Page, choice: string, marks: string): Promise<void> {
  const got = await kinds(page, choice);
  check(got === marks, () => `masks: ${choice}, got '${got}', must be '${marks}'.`);
}

async function kinds(page: Page, choice: string): Promise<string> {
  const all = await page
    .locator(`[data-choice=${choice}] td`)
    .evaluateAll((cells) => cells.map((cell) => (cell as HTMLElement).dataset.kind!));
  const marks: Record<string, string> = { same: '=', leaks: '!', self: '.', allowed: ' ' };
  return all.map((kind) => marks[kind]).join('');
}
