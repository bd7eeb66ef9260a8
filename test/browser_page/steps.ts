/** What people do on the page. */
import type { Page } from 'playwright-core';
import { waitForText } from './harness.js';

/**
 * Waits until a backend runs.
 *
 * @param page The page.
 */
export async function waitForBackend(page: Page): Promise<void> {
  await page.waitForSelector('#train-main:not([disabled])', { state: 'attached' });
}

/**
 * Begins a training run on the first names.
 *
 * @param page The page, showing the view that trains.
 * @param steps Steps of the run.
 */
export async function beginTraining(page: Page, steps: number): Promise<void> {
  await waitForBackend(page);
  await page.fill('#train-steps', String(steps));
  await page.click('#train-main');
}

/**
 * Trains on the first names to the end.
 *
 * @param page The page, showing the view that trains.
 * @param steps Steps of the run.
 */
export async function train(page: Page, steps: number): Promise<void> {
  await beginTraining(page, steps);
  await waitForText(page, '#train-status', /^(Finished|Training failed)/);
}

/**
 * The step of the loss that is shown.
 *
 * @param page The page.
 */
export async function stepOf(page: Page): Promise<number> {
  return Number(await page.textContent('#train-figures dd >> nth=0'));
}

/**
 * Waits until the run has come so far.
 *
 * @param page The page.
 * @param step At least this step.
 */
export async function waitForStep(page: Page, step: number): Promise<void> {
  await page.waitForFunction(
    (step) => Number(document.querySelector('#train-figures dd')?.textContent) >= step,
    step,
  );
}

/**
 * Generates to the end.
 *
 * @param page The page.
 * @param options Values of fields by the end of their ids, for example `temperature`.
 * @returns The rows that were written.
 */
export async function generate(
  page: Page,
  options: Record<string, string> = {},
): Promise<string[]> {
  await page.click('#tab-generate');
  await page.waitForSelector('#generate-main:not([disabled])');
  for (const [name, value] of Object.entries(options)) await page.fill(`#generate-${name}`, value);
  await page.click('#generate-main');
  await waitForText(page, '#generate-main', /^Generate$/);
  await waitForText(page, '#generate-status', /tokens|work/);
  return page.locator('.written-row').allTextContents();
}
