/** The same client in a real browser, as a module that the API serves. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { harness } from '../api/harness.js';
import { planWith } from '../support/plans.js';
import { testFolder } from '../support/test-folder.js';
import { lacksChromium, launch } from './browser.js';
import { buildClient } from '../client/packed-client.js';
import { VIDEO, begin, complete } from '../client/played-job.js';

describe.skipIf(lacksChromium)('the client in a browser', () => {
  it('starts a job, follows it through a restart of the API, and fetches its video', async () => {
    const { path: page_dir, remove } = testFolder('client-page');
    onTestFinished(remove);
    await cp(await buildClient(), path.join(page_dir, 'package'), { recursive: true });
    await mkdir(path.join(page_dir, 'web'));
    await writeFile(path.join(page_dir, 'web/index.html'), '<!doctype html><title>empty</title>');
    const first = await harness({ page_dir });
    const browser = await launch();
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.goto(first.url);

    const played = page.evaluate(`(async () => {
      const { createClient } = await import('/assets/package/client/index.js');
      const client = createClient({ baseUrl: location.origin });
      const { job_id } = await client.jobs.create(${JSON.stringify(planWith(2))}, { idempotencyKey: 'once' });
      window.seqs = [];
      for await (const { seq } of client.events(job_id)) window.seqs.push(seq);
      const { status, clips } = await client.jobs.get(job_id);
      return { status, video: await (await client.file(clips[0].video_url)).text() };
    })()`);
    const seqs = (): Promise<unknown> => page.evaluate('window.seqs');
    await expect.poll(() => [...first.jobs.runs.keys()]).toHaveLength(1);
    const [jobId = ''] = first.jobs.runs.keys();
    begin(first, jobId);
    await expect.poll(seqs).toEqual([1, 2, 3]);
    await first.app.close();
    first.jobs.warn(jobId, 2);
    await complete(await harness({ page_dir }, {}, first), jobId);

    expect(await played).toEqual({ status: 'succeeded', video: VIDEO });
    expect(await seqs()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
