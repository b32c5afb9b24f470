/**
 * What a stack asks of Temporal and of the bucket while it has nothing to do, and what a job of 100 clips does: two hosts with a
 * worker and an API each, Temporal on PostgreSQL, versitygw (chaos/hosts). Counted by the servers themselves. Needs root.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { findTemporalCli } from '../setup/temporal-cli.mjs';
import { createClient } from '../src/client/create-client.js';
import { connectTemporal } from '../src/adapters/temporal/connection.js';
import { startHosts } from '../chaos/hosts/hosts-under-test.js';
import type { HostsUnderTest } from '../chaos/hosts/hosts-under-test.js';
import { once, report } from './support/figures.js';

const CLIPS = 100;
const IDLE_S = 120;
const MODEL = 'kwaivgi/kling-v2.5-turbo-pro';

type Counts = Map<string, number>;

async function temporalRequests({ services }: HostsUnderTest): Promise<Counts> {
  const text = await (await fetch(services.temporal_metrics)).text();
  const counts: Counts = new Map();
  for (const line of text.split('\n')) {
    if (!line.startsWith('service_requests{') || !line.includes('service_name="frontend"'))
      continue;
    const operation = /operation="(\w+)"/.exec(line)?.[1] ?? '';
    const count = Number(line.slice(line.lastIndexOf(' ') + 1));
    counts.set(operation, (counts.get(operation) ?? 0) + count);
  }
  return counts;
}

async function bucketRequests({ services }: HostsUnderTest): Promise<Counts> {
  const counts: Counts = new Map();
  for (const line of (await readFile(services.bucket_requests, 'utf8')).split('\n')) {
    const kind = /\bs3_(\w+)/.exec(line)?.[1];
    if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

const since = (before: Counts, now: Counts): [string, number][] =>
  [...now]
    .map(([name, count]): [string, number] => [name, count - (before.get(name) ?? 0)])
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a);

once('what a stack asks of Temporal and the bucket', async () => {
  const log = (line: string) => console.error(line);
  await using stack = await startHosts({
    cli: findTemporalCli() ?? '',
    speed: 30,
    worker: {},
    log,
  });
  const api = createClient({ baseUrl: stack.api_url, apiKey: stack.api_key });
  while (
    !(await api.readiness().then(
      ({ ready }) => ready,
      () => false,
    ))
  )
    await sleep(500);
  await sleep(10_000);
  const [t0, b0] = [await temporalRequests(stack), await bucketRequests(stack)];
  await sleep(IDLE_S * 1000);
  const [t1, b1] = [await temporalRequests(stack), await bucketRequests(stack)];
  const anHour = ([name, count]: [string, number], server: string) => ({
    server,
    request: name,
    'an hour': (count * 3600) / IDLE_S,
  });
  report({
    title: 'An idle stack: two workers and two APIs',
    rows: [
      ...since(t0, t1).map((row) => anHour(row, 'Temporal')),
      ...since(b0, b1).map((row) => anHour(row, 'bucket')),
    ],
    ratios: [],
  });
  const job = await api.jobs.create({
    model: MODEL,
    dispatch: 'window',
    batch_size: 10,
    clip_prompts: Array.from({ length: CLIPS }, (_, index) => ({
      clip_index: index,
      prompt: `heron ${String(index)}`,
      duration: 5,
    })),
  });
  let last = 0;
  for await (const { seq } of api.events(job.job_id)) last = seq;
  await sleep(2_000);
  const [t2, b2] = [await temporalRequests(stack), await bucketRequests(stack)];
  const events = new Map<string, number>();
  const connection = await connectTemporal({ address: stack.services.temporal_address });
  try {
    const client = new Client({ connection });
    for await (const run of client.workflow.list({ query: `WorkflowId = '${job.job_id}'` })) {
      const history = await client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
      for (const event of history.events ?? []) {
        const name = Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? '';
        events.set(name, (events.get(name) ?? 0) + 1);
      }
    }
  } finally {
    await connection.close();
  }
  const rows = (counts: [string, number][], server: string) =>
    counts.map(([request, count]) => ({
      server,
      request,
      'a job': count,
      'a clip': count / CLIPS,
    }));
  report({
    title: `A job of ${String(CLIPS)} clips, watched by one viewer: ${String(last)} events`,
    rows: [
      ...rows(since(t1, t2), 'Temporal'),
      ...rows(
        [...events].toSorted(([, a], [, b]) => b - a),
        'history',
      ),
      ...rows(since(b1, b2), 'bucket'),
    ],
    ratios: [],
  });
});
