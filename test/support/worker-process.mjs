// A worker process for scenarios: the built worker, with time-outs short enough to live through in a test.
// argv: JSON of timings, and of WorkerSettings. Prints "ready" once it polls; SIGTERM closes it gracefully.
import { loadConfig } from '../../dist/src/config.js';
import { startWorker } from '../../dist/src/worker.js';

const timings = JSON.parse(process.argv[2] ?? 'null');
const { webhook_url, poll_interval, history_limits, version_pace } = JSON.parse(
  process.argv[3] ?? '{}',
);
const worker = await startWorker(loadConfig(), {
  deps: {
    ...(timings === null ? {} : { timings }),
    ...(history_limits === undefined ? {} : { history_limits }),
    ...(webhook_url === undefined ? {} : { webhook_url }),
  },
  ...(version_pace === undefined ? {} : { version_pace }),
  ...(poll_interval === undefined
    ? {}
    : { reader: { pauses: (renderings) => renderings.map(() => poll_interval) } }),
});
process.once('SIGTERM', () => void worker.close());
console.log('ready');
await worker.run;
process.exit(0);
