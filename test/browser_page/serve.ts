/** Serves a folder under a sub-folder of a port of this machine, as any host of static files would. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/** How a host may differ. */
export interface Host {
  /** Whether the page is cross-origin isolated. */
  isolated: boolean;
  /** Requests of these files are never answered. */
  silentFor?: RegExp;
}

/** A running server. */
export interface Server {
  /** Address of the page, in a sub-folder. */
  url: string;
  /** Stops it, so that the page has no network. */
  stop: () => Promise<void>;
}

/**
 * Starts a server.
 *
 * @param folder What it serves.
 * @param host How.
 * @returns The server.
 */
export async function serve(folder: string, { isolated, silentFor }: Host): Promise<Server> {
  const place = '/some/folder/';
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    if (silentFor?.test(pathname)) return;
    try {
      if (!pathname.startsWith(place)) throw new Error('outside of the folder');
      const path = normalize(`/${pathname.slice(place.length)}`);
      const file = path.endsWith('/') ? `${path}index.html` : path;
      const content = readFileSync(join(folder, file));
      response.writeHead(200, {
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        ...(isolated && {
          'cross-origin-opener-policy': 'same-origin',
          'cross-origin-embedder-policy': 'require-corp',
        }),
      });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${place}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
