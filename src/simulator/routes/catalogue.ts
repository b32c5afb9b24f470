/** Replicate's routes about models, and the few about the account. Schemas are generated from catalogue rows. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ModelRow } from '../../domain/models/row.js';
import type { Core } from '../core.js';
import { versionOf } from '../published-models.js';
import { PROBLEMS } from '../refusals.js';
import { openapiSchemaOf } from '../published-schema.js';
import { WEBHOOK_SECRET } from '../webhook-sender.js';
import { exchangeOf, sendAnswer } from '../exchange.js';

const PUBLISHED = '2025-10-01T12:00:00.000Z';

interface Named {
  Params: { owner: string; name: string; version?: string };
}

export function catalogueRoutes(app: FastifyInstance, core: Core): void {
  const page = (results: object[]): object => ({ previous: null, next: null, results });
  const answer =
    (show: (row: ModelRow, version: string | undefined) => object | null) =>
    (request: FastifyRequest<Named>, reply: FastifyReply): FastifyReply => {
      const { owner, name, version } = request.params;
      const row = core.catalogue.get(`${owner}/${name}`.toLowerCase());
      const shown = row === undefined ? null : show(row, version);
      if (shown !== null) return reply.send(shown);
      sendAnswer(exchangeOf(core, request, reply), PROBLEMS.not_found);
      return reply;
    };
  app.get('/v1/models', () => page([...core.catalogue.values()].map(modelOf)));
  app.get<Named>('/v1/models/:owner/:name', answer(modelOf));
  app.get<Named>(
    '/v1/models/:owner/:name/versions',
    answer((row) => page([versionObject(row)])),
  );
  app.get<Named>(
    '/v1/models/:owner/:name/versions/:version',
    answer((row, version) => (version === versionOf(row) ? versionObject(row) : null)),
  );
  app.get('/v1/account', () => ({
    type: 'organization',
    username: 'simulator',
    name: 'Replicate simulator (nothing is paid)',
    github_url: 'https://github.com/simulator',
  }));
  app.get('/v1/hardware', () => HARDWARE);
  app.get('/v1/webhooks/default/secret', () => ({ key: WEBHOOK_SECRET }));
}

const HARDWARE = [
  { name: 'CPU', sku: 'cpu' },
  { name: 'Nvidia L40S GPU', sku: 'gpu-l40s' },
  { name: 'Nvidia A100 (80GB) GPU', sku: 'gpu-a100-large' },
  { name: 'Nvidia H100 GPU', sku: 'gpu-h100' },
];

const versionObject = (row: ModelRow): object => ({
  id: versionOf(row),
  created_at: PUBLISHED,
  cog_version: '0.16.8',
  openapi_schema: openapiSchemaOf(row),
});

function modelOf(row: ModelRow): object {
  const [owner, name] = row.id.split('/');
  return {
    url: `https://replicate.com/${row.id}`,
    owner,
    name,
    description: `${row.title}, as the simulator plays it.`,
    visibility: 'public',
    is_official: row.official,
    github_url: null,
    paper_url: null,
    license_url: null,
    run_count: 0,
    cover_image_url: null,
    default_example: null,
    latest_version: versionObject(row),
  };
}
