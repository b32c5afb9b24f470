/**
 * The page's files: `/` and `/jobs/:job_id` are one document, everything else of it lies below /assets/.
 *
 * PAGE-1 no address in it begins with a slash, so that a proxy may put all of this below a path of its own.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { packageFile } from '../../settings/package-files.js';
import { HttpProblem } from '../problems.js';
import { pagePolicy } from './headers.js';

const BUILT = packageFile('dist/page');

interface PageSource {
  /** Of the built page; the package's own when absent. */
  folder: string | undefined;
  /** The origin of another server that files come from; null where there is none. */
  filesOrigin: () => Promise<string | null>;
}

export async function servePage(
  app: FastifyInstance,
  { folder = BUILT, filesOrigin }: PageSource,
): Promise<void> {
  await app.register(fastifyStatic, {
    root: path.resolve(folder),
    prefix: '/assets/',
    index: false,
    // Where nothing is built, `/` says so.
    suppressWarning: true,
    // A page of an older build must not run with modules of a newer one.
    cacheControl: false,
    setHeaders: (reply) => {
      reply.header('cache-control', 'no-cache');
    },
  });
  const send =
    (depth: number) =>
    async (_request: unknown, reply: FastifyReply): Promise<string> => {
      const written = await readFile(path.join(folder, 'web', 'index.html'), 'utf8').catch(() => {
        throw new HttpProblem(404, 'The page is not built yet. Run: npm run build');
      });
      reply
        .header('content-security-policy', pagePolicy(await filesOrigin()))
        .header('cache-control', 'no-cache')
        .type('text/html; charset=utf-8');
      return documentAt(depth, written);
    };
  app.get('/', { schema: { hide: true } }, send(0));
  app.get('/jobs/:job_id', { schema: { hide: true } }, send(1));
}

/** The document as it is written for `/`, for an address so many folders further down (PAGE-1). */
export const documentAt = (depth: number, written: string): string =>
  written.replaceAll(/(?<=(?:href|src)=")\.\//g, depth === 0 ? './' : '../'.repeat(depth));
