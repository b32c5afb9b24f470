/** How routes take plans. */
import type { FastifySchemaCompiler } from 'fastify';
import { MOST_BODY } from '../limits.js';

/** The body is described by its schema but checked by `checkPlan`, which finds every mistake at once. */
const bodyUnchecked: FastifySchemaCompiler<unknown> = () => (value: unknown) => ({ value });

/** Plans are read and judged in turns. */
export const ofPlans = {
  bodyLimit: MOST_BODY,
  config: { parsesItself: true, holds: 'plans' },
  validatorCompiler: bodyUnchecked,
} as const;
