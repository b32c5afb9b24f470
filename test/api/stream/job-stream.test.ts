/** One reader's way through a log whose older part comes from elsewhere. */
import { expect, it } from 'vitest';
import { JobStream, STREAM_LIMITS } from '../../../src/api/stream/job-stream.js';
import { EventLog } from '../../../src/api/stream/event-log.js';
import type { Lease } from '../../../src/api/stream/progress-hub.js';
import { frameOf } from '../../../src/api/stream/sse-writer.js';
import type { EventStream } from '../../../src/api/stream/sse-writer.js';
import type { JobEvent } from '../../../src/domain/job/job.schema.js';

const event = (seq: number): JobEvent => ({
  job_id: 'film',
  seq,
  at: '2026-01-01T00:00:00.000Z',
  progress: { total: 1, succeeded: 0, failed: 0, canceled: 0, percent: 0 },
  type: 'job.paused',
});
const frame = (seq: number): Buffer => frameOf('job.paused', event(seq), seq);

it('sends nothing twice, and no snapshot, when what it read of the past is ahead of the log', async () => {
  const log = new EventLog();
  log.skipTo(1);
  log.append(event(2));
  const past = { frames: [1, 2, 3].map(frame), last: 3 };
  const written: string[] = [];
  const stream = {
    closed: new AbortController().signal,
    isWritable: true,
    onClosed: () => undefined,
    write: (frames: readonly Buffer[]) => written.push(...frames.map(String)),
  } as unknown as EventStream;
  const watcher = { log, phase: 'live', stale: false, job: { seq: 2 } };
  const asked = Promise.resolve(past);
  const lease = {
    watcher: { ...watcher, past: () => asked },
    liveFrames: () => [],
    snapshotFrame: () => Buffer.from('a snapshot'),
  } as unknown as Lease;
  const reader = new JobStream(STREAM_LIMITS);
  reader.start({
    stream,
    lease,
    position: 0,
    follow: true,
    fallback: null,
    verified: true,
    onDropped: () => undefined,
  });
  await asked;
  await new Promise(setImmediate);
  for (const seq of [3, 4]) {
    log.append(event(seq));
    reader.onChange();
  }
  expect(written).toEqual([1, 2, 3, 4].map((seq) => String(frame(seq))));
});
