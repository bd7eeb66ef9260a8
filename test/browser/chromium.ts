/** Finds and starts the browser. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Starts a headless Chromium that has WebGL 2 and WebGPU without a graphics card (both by SwiftShader).
 *
 * @returns The browser; close it.
 * @throws Error that says how to get one when there is none.
 */
export async function startChromium(): Promise<Browser> {
  const executablePath = process.env.CHROME_PATH ?? PLACES.find((path) => existsSync(path));
  if (executablePath === undefined || !existsSync(executablePath)) {
    throw new Error(
      `test:browser: needs Chromium, looked for ${executablePath ?? PLACES.join(', ')}. ` +
        `Install it (Debian: apt-get install chromium) or name one with CHROME_PATH.`,
    );
  }
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox', // so that it starts as root too, in a container
      '--enable-unsafe-webgpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
