/** The world of the scenarios with what takes time on purpose taken out: rates, renders, pictures of videos. */
import { fileURLToPath } from 'node:url';
import { World } from '../../test/support/world.js';

const worker = fileURLToPath(
  new URL('../../test/support/unbraked-worker-process.mjs', import.meta.url),
);

export async function quickWorld(): Promise<World> {
  const world = await World.create({ speed: 2_000, worker });
  await world.control('POST', '/settings', {
    creates_per_minute: 60_000,
    requests_per_minute: 600_000,
    clip_max_width: 64,
  });
  await world.startWorker();
  return world;
}
