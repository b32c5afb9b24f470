/**
 * Hosts of a chaos run: network namespaces on one switch, each with an address of its own. Nothing of them can reach another but
 * over the wire, and a wire can be cut. Needs root, `ip` and `iptables`.
 *
 * WIRE-1 A cut wire loses every packet in both directions without an answer, as a broken network does.
 * WIRE-2 What an earlier run left, because it was killed, is removed by the next.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isRunning } from '#setup/process-liveness.mjs';
import { UserError } from '../../src/commands/process.js';

/** What has an address; its last byte. `viewer` and `provider` are this process, in the machine's own namespace. */
const MEMBERS = {
  viewer: 1,
  provider: 2,
  temporal: 3,
  bucket: 4,
  database: 5,
  a: 11,
  b: 12,
} as const;
export type Member = keyof typeof MEMBERS;

const PLACES = { services: ['temporal', 'bucket', 'database'], a: ['a'], b: ['b'] } as const;
export type Place = keyof typeof PLACES;
export const HOSTS = ['a', 'b'] as const;
export type HostName = (typeof HOSTS)[number];

/** What a host may be cut off from. */
export type Peer = 'temporal' | 'bucket' | 'provider';

export interface Network {
  addressOf(member: Member): string;
  /** The words before a command that run it there. */
  inside(place: Place): string[];
  cut(host: HostName, peer: Peer): Promise<void>;
  mend(host: HostName, peer: Peer): Promise<void>;
  close(): Promise<void>;
}

const run = promisify(execFile);
const ip = (words: string): Promise<unknown> => run('ip', words.split(' '));

const OWN = /^chaos(\d{1,10})-/;

export async function startNetwork(): Promise<Network> {
  await requireRights();
  await sweep();
  const own = process.pid;
  const space = (name: string): string => `chaos${String(own)}-${name}`;
  // An address range of its own for each process, so that runs side by side do not meet.
  const net = `10.${String(200 + (own % 50))}.${String(Math.floor(own / 50) % 250)}`;
  const addressOf = (member: Member): string => `${net}.${String(MEMBERS[member])}`;
  const uplink = `ch${String(own)}`;
  try {
    await ip(`netns add ${space('switch')}`);
    // In a namespace of its own, the filters of the machine (Docker's, say) do not see the packets that the switch passes on.
    await ip(`-n ${space('switch')} link add switch type bridge`);
    await ip(`-n ${space('switch')} link set switch up`);
    const plugIn = async (name: string, device: string, where = ''): Promise<void> => {
      await ip(`${where}link add ${device} type veth peer name ${name} netns ${space('switch')}`);
      await ip(`-n ${space('switch')} link set dev ${name} master switch up`);
    };
    await plugIn('viewer', uplink);
    for (const member of ['viewer', 'provider'] as const) {
      await ip(`addr add ${addressOf(member)}/24 dev ${uplink}`);
    }
    await ip(`link set ${uplink} up`);
    for (const [place, members] of Object.entries(PLACES)) {
      await ip(`netns add ${space(place)}`);
      await plugIn(place, 'eth0', `-n ${space(place)} `);
      await ip(`-n ${space(place)} link set lo up`);
      for (const member of members) {
        await ip(`-n ${space(place)} addr add ${addressOf(member)}/24 dev eth0`);
      }
      await ip(`-n ${space(place)} link set eth0 up`);
    }
  } catch (error) {
    await remove(own);
    throw error;
  }
  const filter = async (action: '-I' | '-D', host: HostName, peer: Peer): Promise<void> => {
    const address = addressOf(peer);
    for (const rule of [
      ['INPUT', '-s'],
      ['OUTPUT', '-d'],
    ] as const) {
      const words = `netns exec ${space(host)} iptables -w ${action} ${rule[0]} ${rule[1]} ${address} -j DROP`;
      await ip(words);
    }
  };
  return {
    addressOf,
    // Each with a host name of its own, by which processes tell their machine from others.
    inside: (place) => [
      ...['ip', 'netns', 'exec', space(place), 'unshare', '--uts'],
      ...['sh', '-c', 'hostname "$0" && exec "$@"', place],
    ],
    cut: (host, peer) => filter('-I', host, peer),
    mend: (host, peer) => filter('-D', host, peer),
    close: () => remove(own),
  };
}

async function requireRights(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new UserError(
      'npm run chaos:hosts: skipped, because hosts are network namespaces, which only root may make.',
    );
  }
  for (const words of ['ip netns', 'iptables --version']) {
    const [program = '', ...rest] = words.split(' ');
    try {
      await run(program, rest);
    } catch (error) {
      throw new UserError(
        `npm run chaos:hosts: skipped, because hosts are network namespaces, and \`${words}\` does not work here; apt-get install iproute2 iptables.`,
        { cause: error },
      );
    }
  }
}

/** WIRE-2 */
async function sweep(): Promise<void> {
  const owners = new Set((await spaces()).map(({ owner }) => owner));
  for (const owner of owners) if (!isRunning(owner)) await remove(owner);
}

async function remove(owner: number): Promise<void> {
  // The switch first: its end of each wire takes the other one along.
  const own = (await spaces()).filter((space) => space.owner === owner);
  for (const { name } of own) await ip(`netns delete ${name}`).catch(() => undefined);
}

async function spaces(): Promise<{ name: string; owner: number }[]> {
  const { stdout } = await run('ip', ['netns', 'list']);
  return stdout.split('\n').flatMap((line) => {
    const [name = ''] = line.split(' ');
    const owner = OWN.exec(name)?.[1];
    return owner === undefined ? [] : [{ name, owner: Number(owner) }];
  });
}
