/**
 * A process of its own: the SDK's download of the Temporal CLI into the folder given. The SDK waits long for a network
 * that is not there, so this gives up when nothing has begun to arrive in time.
 * Arguments: folder, version, milliseconds of silence.
 */
import { readdirSync } from 'node:fs';
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [folder, version, silence] = process.argv.slice(2);

setTimeout(() => {
  if (readdirSync(folder).length > 0) return;
  console.error('error: nothing arrived in time');
  process.exit(1);
}, Number(silence)).unref();

try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'cached-download', version: `v${version}`, downloadDir: folder },
      ui: false,
    },
  });
  await environment.teardown();
  process.exit(0);
} catch (error) {
  const [line = ''] = String(error?.message ?? error).split('\n');
  console.error(`error: ${line.replace(/^.*executable: /, '')}`);
  process.exit(1);
}
