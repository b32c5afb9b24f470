/** A draft first, then the finals of the clips that were chosen: by the real API, with the seeds that the provider was sent. */
import { describe, expect, it } from 'vitest';
import { startApi } from '../../src/api/server.js';
import { loadConfig } from '../../src/config.js';
import type { Job } from '../../src/domain/job/job.schema.js';
import { seedOf } from '../../src/domain/plan/quality.js';
import { expectSameLedger } from '../support/provider-ledger.js';
import { planOf } from '../support/plans.js';
import { Run, World } from '../support/world.js';

const MODEL = 'bytedance/seedance-1-pro';

describe('a draft', () => {
  it('is followed by the finals of chosen clips, with the same seeds, paid as what they are', async () => {
    await using world = await World.create();
    await world.startWorker();
    const api = await startApi(loadConfig(world.env), {
      port: 0,
      settings: { log_level: 'error' },
    });
    const post = async (path: string, body: object, headers: Record<string, string> = {}) => {
      const answer = await fetch(`${api.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      return { status: answer.status, job: (await answer.json()) as Job };
    };
    const end = (id: string) => new Run(world.client.workflow.getHandle(id)).end();
    try {
      const plan = planOf(['a', 'b', '[[flagged]] c'], {
        job_id: `rough-${world.task_queue}`,
        model: MODEL,
        quality: 'draft',
        duration_buffer: 1,
      });
      const { job: begun } = await post('/v1/jobs', plan);
      const draft = await end(begun.job_id);
      expect(draft).toMatchObject({ quality: 'draft', status: 'succeeded', final_cost_usd: 2.25 });
      const seeds = [0, 1, 2].map((index) => seedOf(draft.job_id, index));
      expect(begun.clips.map(({ seed }) => seed)).toEqual(seeds);
      expect(draft.clips.map(({ seed }) => seed)).toEqual(seeds);

      const asked = () =>
        post(`/v1/jobs/${draft.job_id}/final`, { clips: [1] }, { 'idempotency-key': 'once' });
      const [{ status, job: first }, again] = [await asked(), await asked()];
      expect([status, again.status, again.job.job_id]).toEqual([202, 200, first.job_id]);
      const finals = await end(first.job_id);
      expect(finals).toMatchObject({
        status: 'succeeded',
        quality: 'final',
        draft_of: draft.job_id,
        total_clips: 1,
        total_cost_usd: 0.75,
        clips: [{ clip_index: 1, seed: seeds[1] }],
      });

      const stats = await world.stats();
      const sent = stats.predictions.map(({ input }) => [
        input['prompt'],
        input['resolution'],
        input['seed'],
      ]);
      expect(sent.sort()).toEqual(
        [
          ['a', '480p', seeds[0]],
          ['b', '480p', seeds[1]],
          ['[[flagged]] c', '480p', seeds[2]],
          ['b', '1080p', seeds[1]],
        ].sort(),
      );
      expectSameLedger(stats, draft, finals);
    } finally {
      await api.close();
    }
  });
});
