// What every peer has: the official client, a door for orders, a mouth for news, a folder for files.
// An order is POSTed to PORT as { id, prompts, at_once }; news are lines of JSON: { id, done: 3 }, { id, stored: 3 }.
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import Replicate from 'replicate';

export const replicate = new Replicate({
  auth: 'r8_bench',
  baseUrl: process.env.REPLICATE_BASE_URL,
});

const model = 'kwaivgi/kling-v2.5-turbo-pro';

export const create = (prompt) =>
  replicate.predictions.create({ model, input: { prompt, duration: 5, aspect_ratio: '16:9' } });

/** Polls twice a second, as the client does unless told otherwise. */
export async function waitFor(prediction) {
  const { status, output, error } = await replicate.wait(prediction, { interval: 500 });
  if (status !== 'succeeded') throw new Error(`prediction ${prediction.id} ${status}: ${error}`);
  return output;
}

export async function save(url, { id, index }) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const file = path.join(process.env.OUT, `${id}-${index}.mp4`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
}

export const tell = (news) => process.stdout.write(`${JSON.stringify(news)}\n`);

/** Answers when the order has been taken. */
export async function takeOrders(take) {
  const server = createServer((request, response) => {
    json(request)
      .then(take)
      .then(
        () => response.writeHead(202).end(),
        (error) => response.writeHead(500).end(String(error?.stack ?? error)),
      );
  });
  await new Promise((resolve) => server.listen(Number(process.env.PORT), '127.0.0.1', resolve));
  console.log('ready');
}
