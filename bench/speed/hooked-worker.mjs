// A worker whose predictions report to WEBHOOK_URL: the product's own setting takes https only, and nothing here has a
// certificate. Everything else is the built worker.
import { loadConfig } from '../../dist/src/config.js';
import { startWorker } from '../../dist/src/worker.js';

const worker = await startWorker(loadConfig(), { deps: { webhook_url: process.env.WEBHOOK_URL } });
process.once('SIGTERM', () => void worker.close());
console.log('Worker: polling');
await worker.run;
process.exit(0);
