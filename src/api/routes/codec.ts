/**
 * The codec endpoint of Temporal's Web UI and CLI: clear payloads for those who have an API key, and only where payloads are
 * encrypted at all (CODEC_KEYS). A browser asks from the Web UI's origin.
 */
import { MAX_CODEC_BODY } from '../load/limits.js';
import * as schemas from '../schemas.js';
import type { App, Services } from '../services.js';

export function codecRoutes(app: App, { codec, settings }: Services): void {
  if (codec == null) return;
  const config = { origins: settings.codec_origins ?? [] };
  for (const what of ['encode', 'decode'] as const) {
    const url = `/codec/${what}`;
    // The question before the request (CORS); the answer is in the headers, see plugins/origins.ts.
    app.options(url, { config, schema: { hide: true } }, (_request, reply) =>
      reply.code(204).send(),
    );
    app.post(
      url,
      {
        bodyLimit: MAX_CODEC_BODY,
        config: { ...config, holds: 'plans' },
        schema: {
          tags: ['service'],
          summary: `Payloads of Temporal, ${what}d with CODEC_KEYS: for its Web UI and CLI`,
          body: schemas.CodecPayloads,
          response: { 200: schemas.CodecPayloads, ...schemas.PROBLEMS },
        },
      },
      async (request) => ({
        payloads: await codec[what](request.body.payloads),
      }),
    );
  }
}
