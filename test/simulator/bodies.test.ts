import { expect, it, onTestFinished } from 'vitest';
import { startSimulator } from '../../src/simulator/index.js';
import { eventually } from '../support/eventually.js';
import { openRequest, trickle } from '../support/raw-request.js';

async function start(limits: NonNullable<Parameters<typeof startSimulator>[0]['limits']>) {
  const simulator = await startSimulator({ port: 0, speed: 1_000, data_dir: null, limits });
  onTestFinished(() => simulator.close());
  const url = `http://127.0.0.1:${String(simulator.port)}`;
  const models = () => fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer a' } });
  return { url, models };
}

const create = (length: number): string =>
  [
    'POST /v1/predictions HTTP/1.1',
    'Host: 127.0.0.1',
    'Authorization: Bearer a',
    'Content-Type: application/json',
    `Content-Length: ${String(length)}`,
    '\r\n',
  ].join('\r\n');

it('a body that trickles in ends at its time, and others are answered meanwhile', async () => {
  const { url, models } = await start({ request_ms: 300, headers_ms: 150, check_ms: 20 });
  const slow = trickle(openRequest(url, create(1_000)), ' ');
  expect((await models()).status).toBe(200);
  expect((await slow).status).toBe(408);
});

it('half bodies of many clients are held up to a limit, and free again when they leave', async () => {
  const { url, models } = await start({ held: 500_000 });
  const flood = Array.from({ length: 100 }, () => {
    const request = openRequest(url, create(1_000_000));
    request.socket.write('x'.repeat(50_000));
    return request;
  });
  const answers = flood.map(({ answer }) => answer(() => true).catch(() => null));
  let refused = 0;
  for (const answer of answers) void answer.then((one) => (refused += one === null ? 0 : 1));
  await eventually('all but what is held refused', async () => ({
    done: refused >= 90,
    value: refused,
  }));
  expect((await models()).status).toBe(200);
  for (const { socket } of flood) socket.destroy();
  await eventually('room for a body again', async () => {
    const { status } = await fetch(`${url}/v1/predictions`, {
      method: 'POST',
      headers: { authorization: 'Bearer a', 'content-type': 'application/json' },
      body: JSON.stringify({ version: 'x'.repeat(400_000) }),
    });
    return { done: status < 500, value: status };
  });
});
