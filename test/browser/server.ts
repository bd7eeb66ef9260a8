/** Serves the page, its script, the fixtures and TensorFlow.js' wasm files on a port of this machine. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>tests</title><link rel="icon" href="data:,">' +
  '<script type="module" src="/tests.js"></script>';

/** Types that a browser insists on. */
const TYPES: Record<string, string | undefined> = {
  '.wasm': 'application/wasm',
  '.mjs': 'text/javascript',
};

/**
 * Starts the server.
 *
 * @param script The page's script.
 * @param folders Folders of binary files by the path they are served under, for example `/fixtures/`.
 * @param isolated Whether a page of that address is to be cross-origin isolated.
 * @returns Its address, and how to stop it.
 */
export async function serve(
  script: string,
  folders: Record<string, string>,
  isolated: (address: URL) => boolean,
): Promise<{ url: string; stop: () => void }> {
  const server = createServer((request, response) => {
    const address = new URL(request.url!, 'http://localhost');
    const { pathname } = address;
    const answer = (type: string, body: string | Buffer): void => {
      response.writeHead(200, {
        'content-type': type,
        // What a page needs to be given shared memory.
        ...(pathname !== '/' || isolated(address)
          ? {
              'cross-origin-opener-policy': 'same-origin',
              'cross-origin-embedder-policy': 'require-corp',
            }
          : {}),
      });
      response.end(body);
    };
    if (pathname === '/') return answer('text/html', PAGE);
    if (pathname === '/tests.js') return answer('text/javascript', script);
    try {
      const place = Object.keys(folders).find((place) => pathname.startsWith(place))!;
      const path = normalize(`/${decodeURIComponent(pathname.slice(place.length))}`);
      const type = TYPES[extname(path)] ?? 'application/octet-stream';
      answer(type, readFileSync(join(folders[place], path)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
