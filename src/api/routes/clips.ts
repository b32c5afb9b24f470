/**
 * Videos, thumbnails and composed references, as bytes with ranges and ETags, and the tokens that open them without a key.
 * Paths are made of checked numbers and ids only.
 */
import { CLIP_FILES, clipFileName } from '../../domain/job/clip-files.js';
import { artifactKey, isKey } from '../../adapters/storage/store-keys.js';
import { notFound } from '../problems.js';
import * as schemas from '../schemas.js';
import type { App, Services } from '../services.js';
import { sendObject } from './send-object.js';
import type { Redirect } from './send-object.js';

const FILES = [
  ['video', 'The finished clip'],
  ['thumbnail', 'A picture from its middle, 320×180'],
  ['composite', 'What its reference images were made into'],
] as const;

export function clipRoutes(app: App, { store, tokens, settings }: Services): void {
  app.post(
    '/v1/jobs/:job_id/token',
    {
      schema: {
        tags: ['clips'],
        summary: 'A token that opens the files and events of this job for some minutes',
        description:
          'For elements, players and links, which cannot send headers: as `?token=` on videos, thumbnails, composites and events of the job, and nowhere else. It is worth nothing once the API key that asked for it is gone.',
        params: schemas.JobPath,
        response: { 200: schemas.MediaToken, ...schemas.PROBLEMS },
      },
    },
    async ({ params: { job_id }, askedWith }, reply) => {
      reply.header('cache-control', 'no-store');
      return tokens.issue(askedWith, job_id) ?? { token: null, expires_at: null };
    },
  );
  for (const [name, summary] of FILES) {
    const { media_type } = CLIP_FILES[name];
    app.get(
      `/v1/jobs/:job_id/clips/:clip_index/${name}`,
      {
        config: { keyInQuery: true, always: true },
        schema: {
          tags: ['clips'],
          summary,
          params: schemas.ClipPath,
          querystring: schemas.FileQuery,
          response: schemas.fileOf(media_type),
        },
      },
      async (request, reply) => {
        const { job_id, clip_index } = request.params;
        const key = artifactKey(job_id, clip_index, name);
        const redirects = settings.storage_redirects === true && request.query.redirect !== 'false';
        const redirect = redirects ? namedAs(clip_index, name) : null;
        const source = { store, key, media_type, redirect };
        if (!isKey(key) || !(await sendObject(request, reply, source)))
          throw notFound(`clip ${String(clip_index)} of the job "${job_id}" has no ${name}`);
        return reply;
      },
    );
  }
}

/** A link to a video saves it: `download` of a link is not followed to another origin. Pictures are looked at. */
const namedAs = (clipIndex: number, name: (typeof FILES)[number][0]): Redirect =>
  name === 'video' ? { file_name: clipFileName(clipIndex, name) } : {};
