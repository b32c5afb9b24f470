/** On which ports processes listen. */
import { readFile, readdir, readlink } from 'node:fs/promises';
import path from 'node:path';

export interface Listener {
  host: string;
  port: number;
}

/** `0100007F:1C41` of /proc/net/tcp: the bytes of the address are in the machine's order. */
const listenerOf = (text: string): Listener => {
  const [address = '', port = ''] = text.split(':');
  const bytes = Buffer.from(address, 'hex').reverse();
  return { host: [...bytes].join('.'), port: parseInt(port, 16) };
};

/** Every TCP port on which one of the processes listens; Linux only. */
export async function listenersOf(pids: readonly number[]): Promise<Listener[]> {
  const sockets = new Set<string>();
  for (const pid of pids) {
    const folder = `/proc/${String(pid)}/fd`;
    for (const name of await readdir(folder).catch(() => [])) {
      sockets.add(await readlink(path.join(folder, name)).catch(() => ''));
    }
  }
  const LISTENING = '0A';
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').slice(1);
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((cells) => cells[3] === LISTENING && sockets.has(`socket:[${cells[9] ?? ''}]`))
    .map((cells) => listenerOf(cells[1] ?? ''));
}
