/** The page for everybody: keys, screen readers, phones, dark rooms, Chinese. */
import type { Page } from 'playwright-core';
import { check, waitForText, type PageTest } from './harness.js';
import { train, waitForBackend } from './steps.js';

const VIEWS = ['masks', 'train', 'generate'] as const;

/** The tests. */
export const tests: PageTest[] = [
  {
    name: 'can be used with keys alone',
    async body(open) {
      const { page } = await open();
      await waitForBackend(page);
      await page.focus('#tab-masks');
      await page.keyboard.press('ArrowRight');
      check((await focused(page)) === 'tab-train', () => 'the arrow moves to the next tab.');
      check(await page.isVisible('#train-text'), () => 'the arrow shows the view.');
      await page.keyboard.press('End');
      check((await focused(page)) === 'tab-generate', () => 'End moves to the last tab.');
      await page.keyboard.press('ArrowRight');
      check((await focused(page)) === 'tab-masks', () => 'after the last comes the first.');
      await page.keyboard.press('ArrowRight');
      await page.fill('#train-steps', '10');
      await page.focus('#train-seed');
      await page.keyboard.press('Tab');
      check((await focused(page)) === 'train-main', () => 'the button follows the fields.');
      await page.keyboard.press('Enter');
      await waitForText(page, '#train-status', /^Finished after 10 steps/);
      check((await focused(page)) === 'train-main', () => 'the focus stays on the button.');
    },
  },
  {
    name: 'names every control, and has one heading, regions and live texts',
    async body(open) {
      const { page } = await open();
      await waitForBackend(page);
      for (const view of VIEWS) {
        await page.click(`#tab-${view}`);
        const controls = page.locator('button:visible, input:visible, select:visible, textarea:visible'); // prettier-ignore
        for (const control of await controls.all()) {
          const snapshot = await control.ariaSnapshot(); // - button "Train"
          check(/^- \w+ "[^"]+"/.test(snapshot), () => `a control without a name: ${snapshot}`);
        }
      }
      check((await page.locator('h1').count()) === 1, () => 'there must be one h1.');
      check((await page.locator('main').count()) === 1, () => 'there must be one main.');
      for (const id of ['backend-status', 'train-status', 'generate-status', 'model-status'])
        check((await page.getAttribute(`#${id}`, 'role')) === 'status', () => `${id} is not live.`);
    },
  },
  {
    name: 'fits a phone, light and dark, with readable contrast',
    async body(open) {
      for (const dark of [false, true]) {
        const { page, screenshot } = await open({ width: 360, dark });
        await waitForBackend(page);
        for (const view of VIEWS) {
          await page.click(`#tab-${view}`);
          await page.waitForSelector(`#view-${view} > *`);
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          check(width <= 360, () => `${view} is ${width} pixels wide.`);
          await screenshot(`phone_${view}_${dark ? 'dark' : 'light'}`);
        }
        for (const selector of ['.lead', 'h1', '#train-main', '#tab-train', '#backend-status']) {
          const contrast = await page.locator(selector).first().evaluate(contrastOf);
          check(
            contrast >= 4.5,
            () => `${selector}: contrast ${contrast.toFixed(1)}, dark=${dark}`,
          );
        }
      }
    },
  },
  {
    name: 'speaks Chinese, where the browser does and when it is chosen',
    async body(open) {
      const { page, screenshot } = await open({ locale: 'zh-CN', view: 'train' });
      await waitForBackend(page);
      check((await page.getAttribute('html', 'lang')) === 'zh-Hans', () => 'lang of the page');
      await waitForText(page, '#train-main', /^训练$/);
      for (const view of VIEWS) {
        await page.click(`#tab-${view}`);
        await page.waitForSelector(`#view-${view} > *`);
        await screenshot(`${view}_chinese`);
      }
      await page.selectOption('.switches select >> nth=0', 'en');
      await waitForText(page, '#train-main', /^Train$/);
      await page.reload();
      await waitForText(page, '#train-main', /^Train$/); // the choice is remembered
    },
  },
  {
    name: 'is dark when asked, whatever the system says',
    async body(open) {
      const { page, screenshot } = await open({ view: 'train' });
      await train(page, 10);
      const background = (): Promise<string> =>
        page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await background();
      await page.selectOption('.switches select >> nth=1', 'dark');
      check((await background()) !== light, () => 'the background must change.');
      await screenshot('train_dark');
    },
  },
];

function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.activeElement?.id);
}

/** Contrast of an element's text against what is behind it, as WCAG defines it. Runs in the page. */
function contrastOf(node: Element): number {
  const context = document.createElement('canvas').getContext('2d')!;
  const luminance = (colour: string): number => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((byte) => {
      const part = byte / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  let behind: Element | null = node;
  while (behind && getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)')
    behind = behind.parentElement;
  const [a, b] = [
    luminance(getComputedStyle(node).color),
    luminance(getComputedStyle(behind ?? document.body).backgroundColor),
  ].sort((a, b) => b - a);
  return (a + 0.05) / (b + 0.05);
}
