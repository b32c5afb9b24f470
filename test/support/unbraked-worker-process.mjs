// A worker process for jobs of a thousand clips: without the provider's limit of 600 creates a minute, which is two
// minutes of waiting, and without a decoder process a clip. Everything else is the built worker.
// Prints "ready" once it polls; SIGTERM closes it gracefully.
import { media } from '../../dist/src/adapters/media/media.js';
import { loadConfig } from '../../dist/src/config.js';
import { startWorker } from '../../dist/src/worker.js';

const noThumbnail = () => Promise.resolve(Buffer.from([0xff, 0xd8, 0xff, 0xd9]));
const worker = await startWorker(
  { ...loadConfig(), creates_per_minute: 60_000 },
  { deps: { media: { ...media, thumbnail: noThumbnail } } },
);
process.once('SIGTERM', () => void worker.close());
console.log('ready');
await worker.run;
process.exit(0);
