/** Free ports: all different, and still free when a server listens on them a little later. */
import { createServer } from 'node:net';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { freePorts } from '../../src/http/ports.js';

const HOST = '127.0.0.1';

/** Local ports of connections in TIME_WAIT (state 06), which Linux does not assign to programs that ask for any port. */
async function reservedPorts(): Promise<Set<number>> {
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').slice(1);
  const columns = rows.map((row) => row.trim().split(/\s+/));
  const waiting = columns.filter((column) => column[3] === '06');
  return new Set(waiting.map((column) => Number.parseInt(column[1]?.split(':')[1] ?? '', 16)));
}

it('ports that are asked for together are held together', async () => {
  const ports = await freePorts(HOST, 200);
  expect(new Set(ports).size).toBe(200);
});

it.runIf(process.platform === 'linux')(
  'a port that was found free is not assigned to a program that asks for any port',
  async () => {
    const ports = await freePorts(HOST, 20);
    const reserved = await reservedPorts();
    expect(ports.filter((port) => !reserved.has(port))).toEqual([]);
  },
);

it('a port that was found free can be listened on', async () => {
  const [port] = await freePorts(HOST, 1);
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
});
