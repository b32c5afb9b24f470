/** The description of the API, made from the routes' own schemas: /openapi.json, and /docs for people. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { DOCS_POLICY } from './headers.js';

export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Durable clip generator',
        version,
        description:
          'Plans go in, durable AI video clips come out. Errors are application/problem+json (RFC 9457).',
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: [{ key: [] }, {}],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCS_POLICY,
    // Relative to where the browser finds them, so that a proxy may put all of this below a path of its own.
    indexPrefix: '.',
    transformSpecification: (description) => ({ ...description, servers: [{ url: '../' }] }),
    transformSpecificationClone: false,
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
