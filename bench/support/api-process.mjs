// The API as a process of its own that tells, when asked, how much memory it holds and how often it read at Temporal.
// Run with --expose-gc. Messages: to it, anything; from it, first { url }, then an answer to each message.
import { Connection } from '@temporalio/client';
import { createJobs } from '../../dist/src/api/jobs/temporal-jobs.js';
import { startApi } from '../../dist/src/api/server.js';
import { loadConfig } from '../../dist/src/config.js';

const config = loadConfig();
const { connection, namespace, task_queue } = config.temporal;
const { data_dir } = config;
const jobs = createJobs({
  connection: Connection.lazy(connection),
  namespace,
  task_queue,
  data_dir,
});
let reads = 0;
const counting = new Proxy(jobs, {
  get(target, name) {
    reads += 1;
    return target[name];
  },
});
const api = await startApi(config, { port: 0, deps: { jobs: counting } });
process.on('message', () => {
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send({ reads, rss, heap: heapUsed + external });
});
process.on('disconnect', () => process.exit(0));
process.send({ url: api.url });
