/**
 * Webhooks of the provider: verified, passed on as a hint to the worker that polls, and answered at once. Nothing is taken from
 * them: the state of a prediction is read from the provider, so that a webhook may come twice, late, out of order or never.
 */
import type { FastifyRequest } from 'fastify';
import type { SignedWebhook, WebhookHeaders } from '../../adapters/replicate/webhook-signature.js';
import { MAX_BODY } from '../load/limits.js';
import { HttpProblem, unavailable } from '../problems.js';
import * as schemas from '../schemas.js';
import type { App, Services } from '../services.js';

export async function webhookRoutes(app: App, services: Services): Promise<void> {
  const { checkWebhook, metrics, hintPoll, settings } = services;
  const url = settings.webhook_url ?? null;
  await app.register(async (scope) => {
    // The signature is over the bytes as they came.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
      done(null, body);
    });
    scope.post(
      '/webhooks/replicate',
      {
        bodyLimit: MAX_BODY,
        config: { hosts: url === null ? [] : [new URL(url).hostname], holds: 'webhooks' },
        // Before a byte of the body is read.
        onRequest: async (request) => {
          if (!services.isTimelyWebhook(headersOf(request))) {
            metrics.count('webhooks_refused_total');
            throw forged();
          }
          if (request.headers['content-length'] === undefined) {
            throw new HttpProblem(411, 'expected a content-length, as Replicate sends it');
          }
        },
        schema: {
          tags: ['service'],
          summary: 'Replicate reports a change of a prediction',
          description:
            'For REPLICATE_WEBHOOK_URL. Needs no API key: the signature of the account is checked instead.',
          response: { 204: schemas.nothing('Taken.'), ...schemas.PROBLEMS },
        },
      },
      async (request, reply) => {
        const webhook = signedWebhook(request);
        const verdict = await checkWebhook(webhook);
        metrics.count(verdict === 'authentic' ? 'webhooks_taken_total' : 'webhooks_refused_total');
        if (verdict === 'unknown') throw unavailable('the webhook secret cannot be had right now');
        if (verdict === 'forged') throw forged();
        const id = predictionId(webhook.body);
        // Not awaited: a lost hint costs a second, a slow answer another delivery.
        if (id !== null) {
          hintPoll(id).catch((err: unknown) => {
            request.log.debug({ err, prediction_id: id }, 'a webhook could not be passed on');
          });
        }
        return reply.code(204).send();
      },
    );
  });
}

const forged = (): HttpProblem => new HttpProblem(401, 'expected a signature of Replicate');

function headersOf({ headers }: FastifyRequest): WebhookHeaders {
  const header = (name: string): string | undefined => [headers[name]].flat()[0];
  return {
    id: header('webhook-id'),
    timestamp: header('webhook-timestamp'),
    signature: header('webhook-signature'),
  };
}

const signedWebhook = (request: FastifyRequest): SignedWebhook => ({
  ...headersOf(request),
  body: Buffer.isBuffer(request.body) ? request.body : '',
});

/** Null for a body that names no prediction: it is the provider's, and needs no action. */
function predictionId(body: string | Uint8Array): string | null {
  try {
    const { id } = JSON.parse(Buffer.from(body).toString()) as { id?: unknown };
    return typeof id === 'string' && /^[A-Za-z0-9_-]{1,100}$/.test(id) ? id : null;
  } catch {
    return null;
  }
}
