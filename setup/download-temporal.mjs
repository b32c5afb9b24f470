/**
 * Run as a process: downloads the Temporal CLI with the SDK into the folder given. Without a network the SDK waits long, so
 * this ends when no byte has arrived in time.
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
