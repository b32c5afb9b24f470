// BullMQ: a queue whose concurrency is the window, and another for files. A job remembers its prediction as soon as there is one,
// and a lock that is not renewed for five seconds is given to another worker (as long as a silent worker of ours is waited for).
import { Queue, Worker } from 'bullmq';
import { create, replicate, save, takeOrders, tell, waitFor } from './shared.mjs';

const AT_ONCE = 5;
const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT) };
const locks = { lockDuration: 5_000, stalledInterval: 1_000, maxStalledCount: 5 };
const kept = { attempts: 3, removeOnComplete: true };

const clips = new Queue('clips', { connection });
const files = new Queue('files', { connection });

async function render(job) {
  const { id, index, prompt, prediction_id } = job.data;
  const prediction = prediction_id
    ? await replicate.predictions.get(prediction_id)
    : await create(prompt);
  await job.updateData({ ...job.data, prediction_id: prediction.id });
  const url = await waitFor(prediction);
  tell({ id, done: index });
  await files.add('save', { id, index, url }, kept);
}

async function store({ data: { id, index, url } }) {
  await save(url, { id, index });
  tell({ id, stored: index });
}

const workers = [
  new Worker('clips', render, { connection, concurrency: AT_ONCE, ...locks }),
  new Worker('files', store, { connection, concurrency: AT_ONCE, ...locks }),
];
for (const worker of workers) worker.on('error', console.error);
await Promise.all(workers.map((worker) => worker.waitUntilReady()));

await takeOrders(({ id, prompts }) =>
  clips.addBulk(
    prompts.map((prompt, index) => ({ name: 'render', data: { id, index, prompt }, opts: kept })),
  ),
);
