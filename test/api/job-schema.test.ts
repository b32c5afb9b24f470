import { describe, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type { clipSchema, eventSchema, jobSchema } from '../../src/domain/job/job.schema.js';
import type { Clip, Job, JobEvent } from '../../src/domain/job/job.js';

describe('job.schema', () => {
  it('describes exactly the types of job.ts', () => {
    expectTypeOf<z.infer<typeof jobSchema>>().toEqualTypeOf<Job>();
    expectTypeOf<z.infer<typeof clipSchema>>().toEqualTypeOf<Clip>();
    expectTypeOf<z.infer<typeof eventSchema>['type']>().toEqualTypeOf<JobEvent['type']>();
    expectTypeOf<z.infer<typeof eventSchema>>().toExtend<JobEvent>();
    expectTypeOf<JobEvent>().toExtend<z.infer<typeof eventSchema>>();
  });
});
