/** Serves the page, its script and the fixtures on a port of this machine. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>tests</title><link rel="icon" href="data:,">' +
  '<script type="module" src="/tests.js"></script>';

/**
 * Starts the server.
 *
 * @param script The page's script.
 * @param fixtures Folder of the fixtures, served under /fixtures/.
 * @returns Its address, and how to stop it.
 */
export async function serve(
  script: string,
  fixtures: string,
): Promise<{ url: string; stop: () => void }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const answer = (type: string, body: string | Buffer): void => {
      response.writeHead(200, {
        'content-type': type,
        // What a page needs to be given shared memory.
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      });
      response.end(body);
    };
    if (pathname === '/') return answer('text/html', PAGE);
    if (pathname === '/tests.js') return answer('text/javascript', script);
    try {
      if (!pathname.startsWith('/fixtures/')) throw new Error(pathname);
      const path = normalize(decodeURIComponent(pathname.slice('/fixtures'.length)));
      answer('application/octet-stream', readFileSync(join(fixtures, path)));
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
