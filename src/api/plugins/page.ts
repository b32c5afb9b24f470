/** The page's files: `/` and `/jobs/:job_id` are one document, everything else of it lies below /assets/. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { HttpProblem } from '../problems.js';
import { PAGE_POLICY } from './headers.js';

/** Built beside this program; from sources, in the build's folder. */
const BUILT = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../../dist/page' : '../../page', import.meta.url),
);

export async function servePage(app: FastifyInstance, folder = BUILT): Promise<void> {
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
  const send = (_request: unknown, reply: FastifyReply): FastifyReply => {
    if (!existsSync(path.join(folder, 'web', 'index.html'))) {
      throw new HttpProblem(404, 'The page is not built yet. Run: npm run build');
    }
    return reply.header('content-security-policy', PAGE_POLICY).sendFile('web/index.html');
  };
  app.get('/', { schema: { hide: true } }, send);
  app.get('/jobs/:job_id', { schema: { hide: true } }, send);
}
