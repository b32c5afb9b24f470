/** The list of jobs on the page: what it looks for is asked of the server, and stands in the address. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { lacksChromium } from './browser.js';
import type { MockApi } from './mock-api.js';
import { sampleJob } from './sample-job.js';
import { withScriptedPage } from './scripted-page.js';

let page: Page;
let mock: MockApi;

const rows = () => page.locator('.job-row__name');

describe.skipIf(lacksChromium)('the list of jobs on the page', () => {
  withScriptedPage(async (opened) => {
    ({ page, mock } = opened);
    for (const [job_id, labels] of [
      ['harbour', ['winter', 'customer a']],
      ['meadow', ['summer']],
      ['dune', []],
    ] as const) {
      mock.add({ ...sampleJob(job_id, 2), labels: [...labels] });
    }
    await page.goto(`${mock.url}/`);
    await rows().nth(2).waitFor();
  });

  const shows = async (names: string[]): Promise<void> => {
    await eventually(`the list to show ${names.join()}`, async () => {
      const found = await rows().allTextContents();
      return { done: found.join() === names.join(), value: found };
    });
  };

  it('shows labels, and jobs of one when it is clicked; the address has it, and a click takes it back', async () => {
    await page.getByRole('button', { name: 'Only jobs with the label winter' }).click();
    await shows(['harbour']);
    expect(new URL(page.url()).searchParams.get('label')).toBe('winter');
    await page.reload();
    await shows(['harbour']);
    await page.getByRole('button', { name: 'Any label, not only winter' }).click();
    await shows(['dune', 'meadow', 'harbour']);
    expect(new URL(page.url()).search).toBe('');
  });

  it('is searched by the server, by words in upper or lower case', async () => {
    await page.getByLabel('Search').fill('SUMMER meadow');
    await shows(['meadow']);
    expect(mock.urls.some((url) => new URL(url).searchParams.get('q') === 'SUMMER meadow')).toBe(
      true,
    );
    await page.getByLabel('Search').fill('nothing like it');
    await page.getByText('No job matches.').waitFor();
  });
});
