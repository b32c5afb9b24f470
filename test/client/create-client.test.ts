import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/client/create-client.js';
import { json, scripted, type Answer } from '../support/scripted-server.js';

const later =
  (status: number): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'retry-after': '0' }).end();
  };
const plan = { clip_prompts: [{ clip_index: 0, prompt: 'a', duration: 5 }] };

describe('a call to the API', () => {
  it('is made again when the server says that it was asked too often', async () => {
    await using server = await scripted([later(429), later(429), json(202, { job_id: 'a' })]);
    expect(await createClient({ baseUrl: server.url }).jobs.create(plan)).toEqual({ job_id: 'a' });
    expect(server.requests.map(({ url }) => url)).toEqual(Array(3).fill('/v1/jobs'));
  });

  it('is given up when that does not change', async () => {
    await using server = await scripted([later(429)]);
    const call = createClient({ baseUrl: server.url }).jobs.get('a');
    await expect(call).rejects.toMatchObject({ status: 429 });
    expect(server.requests).toHaveLength(3);
  });

  it('is made once where it is not known whether the job has begun', async () => {
    await using server = await scripted([later(503), json(202, { job_id: 'a' })]);
    await expect(createClient({ baseUrl: server.url }).jobs.create(plan)).rejects.toMatchObject({
      status: 503,
    });
    expect(server.requests).toHaveLength(1);
  });
});
