/** What the tests of the page are written with. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { serve, type Host, type Server } from './serve.js';

/** One test. */
export interface PageTest {
  /** What it shows. */
  name: string;
  /** Throws when it does not. */
  body: (open: Open) => Promise<void>;
}

/** How a page is opened. */
export interface Visit extends Partial<Host> {
  /** What stands behind the address: `?backend=wasm` unless given. */
  query?: string;
  /** The view; the first one unless given. */
  view?: 'masks' | 'train' | 'generate';
  /** Whether the build is minified; true. */
  minified?: boolean;
  /** Whether the page may keep itself for use without a network; false. */
  offline?: boolean;
  /** Width of the window in pixels; 1100. */
  width?: number;
  /** Dark instead of light. */
  dark?: boolean;
  /** Language of the browser; English. */
  locale?: string;
}

/** An open page, and what belongs to it. */
export interface Opened {
  /** The page. */
  page: Page;
  /** Its server. */
  server: Server;
  /** Paths of what was requested. */
  requests: string[];
  /** Errors on the console, and those that nobody caught. */
  errors: string[];
  /** Writes a picture of the whole page. */
  screenshot: (name: string) => Promise<void>;
}

/** Opens the page in a browser that knows nothing of earlier visits. */
export type Open = (visit?: Visit) => Promise<Opened>;

/** Folders of the two builds, and where pictures go. */
export interface Folders {
  /** As `npm run browser` builds it. */
  minified: string;
  /** The same without minification. */
  plain: string;
  /** For pictures. */
  screenshots: string;
}

/** Longest time for one thing to happen in the page, on a busy machine without a graphics card. */
export const PATIENCE = 90_000;

/**
 * Runs one test with pages of its own.
 *
 * @param browser The browser.
 * @param folders Where the builds are.
 * @param test The test.
 * @throws Error when the test fails, or an error was on a page's console.
 */
export async function runTest(browser: Browser, folders: Folders, test: PageTest): Promise<void> {
  const contexts: BrowserContext[] = [];
  const opened: Opened[] = [];
  const open: Open = async (visit = {}) => {
    const { minified = true, isolated = false, silentFor, width = 1100, query, view } = visit;
    const server = await serve(minified ? folders.minified : folders.plain, {
      isolated,
      silentFor,
    });
    const context = await browser.newContext({
      viewport: { width, height: 800 },
      colorScheme: visit.dark ? 'dark' : 'light',
      locale: visit.locale ?? 'en-GB',
      serviceWorkers: visit.offline ? 'allow' : 'block',
    });
    contexts.push(context);
    // tsx wraps functions in calls of this, also those that are sent to the page.
    await context.addInitScript('globalThis.__name = (value) => value');
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const requests: string[] = [];
    const errors: string[] = [];
    context.on('request', (request) => {
      const { protocol, pathname } = new URL(request.url());
      if (protocol !== 'blob:') requests.push(pathname);
    });
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.stack ?? error.message));
    await page.goto(`${server.url}${query ?? '?backend=wasm'}${view ? `#${view}` : ''}`);
    const screenshot = async (name: string): Promise<void> => {
      mkdirSync(folders.screenshots, { recursive: true });
      await page.screenshot({ path: join(folders.screenshots, `${name}.png`), fullPage: true });
    };
    const all = { page, server, requests, errors, screenshot };
    opened.push(all);
    return all;
  };
  try {
    await test.body(open);
    const errors = opened.flatMap(({ errors }) => errors);
    if (errors.length > 0) throw new Error(`errors on the console:\n${errors.join('\n')}`);
  } finally {
    for (const context of contexts) await context.close();
    for (const { server } of opened) await server.stop();
  }
}

/**
 * Waits until an element's text is as wanted.
 *
 * @param page The page.
 * @param selector The element.
 * @param pattern What the text must match.
 * @returns The text.
 */
export async function waitForText(page: Page, selector: string, pattern: RegExp): Promise<string> {
  try {
    await page.waitForFunction(
      ([selector, source]) =>
        new RegExp(source).test(document.querySelector(selector)?.textContent ?? ''),
      [selector, pattern.source],
    );
  } catch {
    throw new Error(
      `${selector} must come to say ${pattern}, says '${await page.textContent(selector)}'.`,
    );
  }
  return (await page.textContent(selector))!;
}

/**
 * Checks something.
 *
 * @param condition Whether it holds.
 * @param text What does not hold.
 */
export function check(condition: boolean, text: () => string): asserts condition {
  if (!condition) throw new Error(text());
}
