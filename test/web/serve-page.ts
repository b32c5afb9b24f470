/** The built page over HTTP as the product serves it, under the strict policy it has to work with. */
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { PAGE_POLICY } from '../../src/api/plugins/headers.js';
import { documentAt } from '../../src/api/plugins/page.js';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export async function servePage(
  folder: string,
  path: string,
  response: ServerResponse,
): Promise<void> {
  const isFile = path.startsWith('/assets/');
  const name = isFile ? path.slice('/assets/'.length) : 'web/index.html';
  const bytes = await readFile(join(folder, name)).catch(() => null);
  if (bytes === null) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    'content-security-policy': PAGE_POLICY,
  });
  response.end(isFile ? bytes : documentAt(path.split('/').length - 2, bytes.toString()));
}
