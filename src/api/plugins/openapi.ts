/** The description of the API, made from the routes' own schemas: /openapi.json, and /docs for people. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { DOCS_POLICY } from './headers.js';
import { needsKey } from './keys.js';

interface About {
  version: string;
  /** Without keys no route needs one, and none is described. */
  hasKeys: boolean;
}

const SCHEMES = {
  key: { type: 'http', scheme: 'bearer' },
  key_in_query: { type: 'apiKey', in: 'query', name: 'api_key' },
  token: { type: 'apiKey', in: 'query', name: 'token' },
} as const;

type Transform = typeof jsonSchemaTransform;

/** What a route takes is read from what `guard` asks of it. */
const withKeys: Transform = (document) => {
  const { schema, url } = jsonSchemaTransform(document);
  const isQueryFine = document.route.config?.keyInQuery === true;
  const security = [{ key: [] }, ...(isQueryFine ? [{ token: [] }, { key_in_query: [] }] : [])];
  return { schema: { ...schema, security: needsKey(url) ? security : [] }, url };
};

export async function describeApi(
  app: FastifyInstance,
  { version, hasKeys }: About,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Durable clip generator',
        version,
        description:
          'Plans go in, durable AI video clips come out. Errors are application/problem+json (RFC 9457).',
      },
      ...(hasKeys ? { components: { securitySchemes: SCHEMES } } : {}),
    },
    transform: hasKeys ? withKeys : jsonSchemaTransform,
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
