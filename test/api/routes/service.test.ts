import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { artifactPath } from '../../support/stored-files.js';
import type { Comparison } from '../../../src/domain/pricing/estimate.schema.js';
import { CATALOGUE } from '../../../src/domain/models/index.js';
import type { LifeCycle } from '../../../src/domain/models/row.js';
import { harness, read } from '../harness.js';
import { planWith } from '../../support/plans.js';

describe('keys', () => {
  const settings = { api_keys: ['first-key-of-many', 'second-key-of-many'] };

  it('are needed on /v1 and /metrics, and nowhere else', async () => {
    const { app } = await harness(settings);
    const status = async (url: string) => (await app.inject({ url })).statusCode;
    for (const url of ['/v1/jobs', '/v1/models', '/v1/jobs/a', '/%761/models', '/metrics']) {
      expect([url, await status(url)]).toEqual([url, 401]);
    }
    for (const url of ['/healthz', '/readyz', '/openapi.json']) {
      expect([url, await status(url)]).toEqual([url, 200]);
    }
  });

  it('let in by header everywhere, by query only where elements need it', async () => {
    const { app, url, jobs } = await harness(settings);
    jobs.add('a');
    const headers = { authorization: 'Bearer second-key-of-many' };
    expect((await app.inject({ url: '/v1/jobs/a', headers })).statusCode).toBe(200);
    expect((await app.inject({ url: '/v1/jobs/a?api_key=first-key-of-many' })).statusCode).toBe(
      401,
    );
    expect((await app.inject({ url: '/v1/jobs/a/events?api_key=wrong' })).statusCode).toBe(401);
    const stream = await read(`${url}/v1/jobs/a/events?api_key=first-key-of-many`);
    expect(stream.status).toBe(200);
    stream.close();
  });
});

describe('problems', () => {
  it('say 404 for nothing, 405 with Allow for the wrong method', async () => {
    const { app } = await harness();
    expect((await app.inject({ url: '/v2/jobs' })).statusCode).toBe(404);
    const wrong = await app.inject({ method: 'DELETE', url: '/v1/jobs/a' });
    expect([wrong.statusCode, wrong.headers['allow']]).toEqual([405, 'GET, HEAD']);
    expect(wrong.headers['content-type']).toContain('application/problem+json');
  });

  it('never tell what went wrong inside', async () => {
    const { app, jobs } = await harness({ log_level: 'fatal' });
    jobs.find = () => Promise.reject(new Error('secret at /home/someone'));
    const answer = await app.inject({ url: '/v1/jobs/a' });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('secret');
  });

  it('refuse an act from a page of another origin', async () => {
    const { app, jobs } = await harness();
    jobs.add('a');
    const from = (origin: string) =>
      app.inject({
        method: 'POST',
        url: '/v1/jobs/a/cancel',
        headers: { origin, host: '127.0.0.1:3000' },
      });
    expect((await from('https://evil.example')).statusCode).toBe(403);
    expect((await from('http://127.0.0.1:3000')).statusCode).toBe(202);
  });
});

describe('the service', () => {
  it('is ready when Temporal answers and a worker polls', async () => {
    const { app, jobs } = await harness();
    const ready = async () => {
      const answer = await app.inject({ url: '/readyz' });
      return [answer.statusCode, answer.json<unknown>()];
    };
    const common = { api: 'durable-clip-generator', simulated: true, namespace: 'default' };
    expect(await ready()).toEqual([
      200,
      expect.objectContaining({ ...common, ready: true, temporal: true, workers: 1 }),
    ]);
    jobs.worker = false;
    expect(await ready()).toEqual([
      503,
      expect.objectContaining({ ready: false, temporal: true, workers: 0 }),
    ]);
    jobs.temporal = false;
    expect(await ready()).toEqual([503, expect.objectContaining({ temporal: false })]);
  });

  it('compares what a plan costs on every model, whichever it names', async () => {
    const { app } = await harness();
    const ask = (payload: object) =>
      app.inject({ method: 'POST', url: '/v1/models/compare', payload });
    const answer = await ask(planWith(2, { model: 'bytedance/seedance-1-lite' }));
    expect(answer.statusCode).toBe(200);
    const { models } = answer.json<{ models: Comparison[] }>();
    expect(models).toHaveLength(CATALOGUE.size);
    expect(models[0]).toMatchObject({ can_make: true });
    expect(models.at(-1)).toMatchObject({ can_make: false });
    const bad = await ask({ clip_prompts: [{ clip_index: 0, prompt: '', duration: 5 }] });
    expect(bad.statusCode).toBe(400);
    expect(bad.json<{ errors: { path: string }[] }>().errors).toMatchObject([
      { path: 'clip_prompts.0.prompt' },
    ]);
  });

  it('lists every model of the catalogue', async () => {
    const { app } = await harness();
    const { models } = (await app.inject({ url: '/v1/models' })).json<{
      models: { id: string; life_cycle: LifeCycle }[];
    }>();
    expect(models.map(({ id }) => id)).toEqual([...CATALOGUE.keys()]);
    const status = Object.fromEntries(models.map((row) => [row.id, row.life_cycle.status]));
    expect(status).toMatchObject({
      'google/veo-3.1': 'active',
      'bytedance/seedance-1-lite': 'retired',
    });
  });

  it('describes all its routes', async () => {
    const { app } = await harness();
    const { paths, components } = (await app.inject({ url: '/openapi.json' })).json<{
      paths: Record<string, object>;
      components: { schemas: Record<string, object> };
    }>();
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/v1/jobs',
        '/v1/jobs/estimate',
        '/v1/jobs/{job_id}',
        '/v1/jobs/{job_id}/events',
        '/v1/jobs/{job_id}/retry',
        '/v1/jobs/{job_id}/clips/{clip_index}/video',
        '/v1/models',
        '/readyz',
        '/metrics',
      ]),
    );
    expect(Object.keys(components.schemas)).toEqual(expect.arrayContaining(['Job', 'Plan']));
    expect((await app.inject({ url: '/docs' })).statusCode).toBe(200);
  });

  it('says of plans and caps what is accepted: nulls, and the least number that is not rounded to zero', async () => {
    const { app } = await harness();
    const { paths, components } = (await app.inject({ url: '/openapi.json' })).json<{
      paths: Record<string, unknown>;
      components: { schemas: Record<string, unknown> };
    }>();
    const body = (schema: object) => ({
      post: { requestBody: { content: { 'application/json': { schema } } } },
    });
    for (const route of ['/v1/jobs', '/v1/jobs/estimate']) {
      expect(paths[route]).toMatchObject(body({ $ref: '#/components/schemas/PlanInput' }));
    }
    expect(paths['/v1/jobs/{job_id}/max-cost']).toMatchObject(
      body({ properties: { max_cost_usd: { minimum: 0.000001, maximum: 1_000_000 } } }),
    );
    const { Plan: plan, PlanInput: input } = components.schemas;
    expect(plan).toEqual(input);
    expect(plan).toMatchObject({
      required: ['clip_prompts'],
      additionalProperties: false,
      properties: {
        model: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        clip_prompts: {
          items: {
            required: ['clip_index', 'prompt', 'duration'],
            properties: {
              duration: { type: 'number', minimum: 0.000001, maximum: 60 },
              scene_reference_url: { anyOf: [{ maxLength: 8192 }, { type: 'null' }] },
            },
          },
        },
      },
    });
  });

  it('counts in the format of Prometheus', async () => {
    const { app } = await harness();
    await app.inject({ url: '/healthz' });
    const { body } = await app.inject({ url: '/metrics' });
    expect(body).toContain(
      'clip_generator_api_requests_total{method="GET",route="/healthz",status="200"} 1',
    );
    expect(body).toContain(
      'clip_generator_api_request_seconds_count{method="GET",route="/healthz"} 1',
    );
    expect(body).toContain('# TYPE clip_generator_requested_duration_seconds summary');
  });
});

describe('files of a clip', () => {
  const video = '/v1/jobs/a/clips/0/video';

  async function withVideo() {
    const all = await harness();
    const file = artifactPath(all.data_dir, 'a', 0, 'video');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, '0123456789');
    return all;
  }

  it('are sent whole, in ranges, and as headers only', async () => {
    const { app } = await withVideo();
    const whole = await app.inject({ url: video });
    expect([whole.statusCode, whole.body]).toEqual([200, '0123456789']);
    expect(whole.headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': '10',
      'accept-ranges': 'bytes',
    });
    const part = await app.inject({ url: video, headers: { range: 'bytes=2-4' } });
    expect([part.statusCode, part.body, part.headers['content-range']]).toEqual([
      206,
      '234',
      'bytes 2-4/10',
    ]);
    const beyond = await app.inject({ url: video, headers: { range: 'bytes=99-' } });
    expect([beyond.statusCode, beyond.headers['content-range']]).toEqual([416, 'bytes */10']);
    const head = await app.inject({ method: 'HEAD', url: video });
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, '10', '']);
  });

  it('are its composed reference too, as a picture', async () => {
    const { app, data_dir } = await withVideo();
    await writeFile(artifactPath(data_dir, 'a', 0, 'composite'), 'picture');
    const answer = await app.inject({ url: '/v1/jobs/a/clips/0/composite' });
    expect([answer.statusCode, answer.body]).toEqual([200, 'picture']);
    expect(answer.headers).toMatchObject({ 'content-type': 'image/jpeg' });
    expect(answer.headers['etag']).toEqual(expect.any(String));
  });

  it('are not sent again to whom has them', async () => {
    const { app } = await withVideo();
    const etag = (await app.inject({ url: video })).headers['etag'];
    const again = await app.inject({ url: video, headers: { 'if-none-match': String(etag) } });
    expect(again.statusCode).toBe(304);
  });

  it.each([
    '/v1/jobs/a/clips/1/video',
    '/v1/jobs/a/clips/0/thumbnail',
    '/v1/jobs/a/clips/0/composite',
    '/v1/jobs/..%2f..%2fa/clips/0/video',
    '/v1/jobs/%2e%2e/clips/0/video',
  ])('are 404 at %s', async (url) => {
    const { app } = await withVideo();
    const answer = await app.inject({ url });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ]);
  });
});

describe('the page', () => {
  it('is one document at / and /jobs/:job_id, with its files below /assets', async () => {
    const { app, data_dir } = await harness();
    expect((await app.inject({ url: '/' })).body).toContain('npm run build');
    await mkdir(path.join(data_dir, 'page', 'web'), { recursive: true });
    await writeFile(path.join(data_dir, 'page', 'web', 'index.html'), '<title>page</title>');
    await writeFile(path.join(data_dir, 'page', 'web', 'main.js'), 'export {}');
    await writeFile(path.join(data_dir, 'secret'), 'secret');
    for (const url of ['/', '/jobs/some-job']) {
      const answer = await app.inject({ url });
      expect([answer.statusCode, answer.body]).toEqual([200, '<title>page</title>']);
    }
    const script = await app.inject({ url: '/assets/web/main.js' });
    expect(script.headers['content-type']).toContain('javascript');
    for (const url of ['/assets/%2e%2e/%2e%2e/secret', '/assets/..%2fsecret', '/assets/web']) {
      expect([url, (await app.inject({ url })).statusCode]).toEqual([url, 404]);
    }
  });
});
