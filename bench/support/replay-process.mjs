// Replays histories as a worker does that has the job in no memory, and tells what each cost. argv: files. Sends one message:
// seconds of CPU by file, all threads included. The first file is replayed once more before, so that what is only paid once a
// process (loading, compiling) is in no figure.
import { readFile } from 'node:fs/promises';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { bundlePath } from '../../dist/src/worker.js';

Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
});

async function secondsFor(file) {
  const history = historyFromJSON(JSON.parse(await readFile(file, 'utf8')));
  const before = process.cpuUsage();
  await Worker.runReplayHistory({ workflowBundle: { codePath: bundlePath } }, history);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const files = process.argv.slice(2);
await secondsFor(files[0]);
const seconds = [];
for (const file of files) seconds.push(await secondsFor(file));
process.on('disconnect', () => process.exit(0));
process.send(seconds);
