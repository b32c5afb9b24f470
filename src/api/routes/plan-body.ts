/** How routes take plans. */
import type { FastifySchemaCompiler } from 'fastify';
import { MAX_BODY } from '../load/limits.js';

/** The body is described by its schema but checked by `checkPlan`, which finds every mistake at once. */
const bodyUnchecked: FastifySchemaCompiler<unknown> = () => (value: unknown) => ({ value });

/** Plans are parsed and checked in turns. */
export const planBody = {
  bodyLimit: MAX_BODY,
  config: { parsesItself: true, holds: 'plans' },
  validatorCompiler: bodyUnchecked,
} as const;
