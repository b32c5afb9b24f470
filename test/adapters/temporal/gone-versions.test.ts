/** GONE-1 and GONE-2: which jobs a worker of a version takes over, and when. */
import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { watchVersions } from '../../../src/adapters/temporal/gone-versions.js';
import { pinnedTo, takers } from '../../../src/adapters/temporal/worker-versions.js';

const VERSIONED = 2;
const PINNED = 1;
const version = (buildId: string) => ({ deploymentName: 'clips', buildId });

const poller = (buildId: string | null, seconds = 1_000) => ({
  identity: `1@${buildId ?? ''}`,
  lastAccessTime: { seconds, nanos: 0 },
  ...(buildId === null
    ? {}
    : { deploymentOptions: { ...version(buildId), workerVersioningMode: VERSIONED } }),
});

type Answers<T> = readonly T[];

/** What the server says at each look; the watch ends after the last. */
async function watched({
  current = 'b',
  polling,
}: {
  current?: string | null;
  polling: Answers<readonly ReturnType<typeof poller>[]>;
}): Promise<{ moved: string[]; lines: string[] }> {
  const moved: string[] = [];
  const lines: string[] = [];
  const done = new AbortController();
  let looks = 0;
  const client = {
    workflowService: {
      async describeWorkerDeployment() {
        looks += 1;
        if (looks === polling.length) done.abort();
        return {
          workerDeploymentInfo: {
            versionSummaries: ['a', 'b'].map((build) => ({ deploymentVersion: version(build) })),
            routingConfig: { currentDeploymentVersion: current === null ? null : version(current) },
          },
        };
      },
      describeTaskQueue: async () => ({ pollers: polling[looks - 1] }),
      async updateWorkflowExecutionOptions(request: { workflowExecution: { workflowId: string } }) {
        moved.push(request.workflowExecution.workflowId);
      },
    },
    workflow: {
      async *list() {
        yield { workflowId: 'left', runId: 'r', taskQueue: 'q' };
        yield { workflowId: 'of another queue', runId: 'r', taskQueue: 'other' };
      },
    },
  };
  await watchVersions({
    client: client as unknown as Client,
    namespace: 'default',
    task_queue: 'q',
    version: { deployment: 'clips', build_id: 'b' },
    log: (line) => lines.push(line),
    signal: done.signal,
    pace: { interval: 0, looks: 3, seen_within: 90_000 },
  });
  return { moved, lines };
}

const both = [poller('a'), poller('b')];
const without = [poller('b')];

it('jobs of a release are taken over when none of its workers polled at three looks in a row', async () => {
  const { moved, lines } = await watched({ polling: [without, without, without] });
  expect(moved).toEqual(['left']);
  expect(lines).toEqual([
    'worker: no worker runs clips:a any more; jobs of it that continue on clips:b: 1',
  ]);
});

it('a release whose workers are only restarted keeps its jobs', async () => {
  const polling = [without, without, both, without, without];
  expect((await watched({ polling })).moved).toEqual([]);
});

it('a poll of long ago is none', async () => {
  const stale = [poller('a', 1_000), poller('b', 1_091)];
  expect((await watched({ polling: [stale, stale, stale] })).moved).toEqual(['left']);
  const idle = [poller('a', 1_000), poller('b', 1_089)];
  expect((await watched({ polling: [idle, idle, idle] })).moved).toEqual([]);
});

it('a release that is not the current one takes over nothing, and says once how new jobs come to it', async () => {
  const polling = [without, without, without];
  const { moved, lines } = await watched({ current: 'a', polling });
  expect(moved).toEqual([]);
  expect(lines).toEqual([
    'worker: new jobs go to clips:a; to give them to this version: temporal worker deployment set-current-version --deployment-name clips --build-id b',
  ]);
  const { lines: none } = await watched({ current: null, polling });
  expect(none).toEqual([expect.stringContaining('deployment clips has no current version')]);
});

it('a job is pinned to its override, else to the version that it began with', () => {
  expect(pinnedTo({ behavior: PINNED, deploymentVersion: version('a') })).toBe('clips:a');
  const override = { pinned: { version: version('b') } };
  const moved = { behavior: PINNED, deploymentVersion: version('a'), versioningOverride: override };
  expect(pinnedTo(moved)).toBe('clips:b');
  expect(pinnedTo({})).toBeNull();
  expect(pinnedTo(null)).toBeNull();
});

it('only workers of its release take a pinned job, and those of current and ramping ones a new job', () => {
  const pollers = [poller('a'), poller('b'), poller('c'), poller(null)];
  const queue = {
    pollers,
    versioningInfo: {
      currentDeploymentVersion: version('b'),
      rampingDeploymentVersion: version('c'),
    },
  };
  const identities = (of: Parameters<typeof takers>[0], pinned: string | null): string[] =>
    takers(of, pinned).map(({ identity }) => identity);
  expect(identities(queue as never, 'clips:a')).toEqual(['1@a']);
  expect(identities(queue as never, 'clips:gone')).toEqual([]);
  expect(identities(queue as never, null)).toEqual(['1@b', '1@c']);
  expect(identities({ pollers } as never, null)).toEqual(['1@']);
});
