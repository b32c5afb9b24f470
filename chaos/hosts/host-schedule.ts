/**
 * What happens to the hosts of a chaos run and to what they share, drawn from the seed alone. Pure. The jobs are those of the run on
 * one machine.
 */
import { Random } from '../random.js';
import { schedule } from '../schedule.js';
import type { ScheduledJob, Timed } from '../schedule.js';
import type { HostName, Peer } from './network.js';
import type { ServiceName } from './services.js';

export type HostFault =
  /** Every process of the host at once, as by a power cut; and its orderly stop. */
  | { kind: 'kill' | 'stop'; host: HostName; down: number }
  | { kind: 'cut'; host: HostName; peers: readonly Peer[]; down: number }
  /** The clock of all its processes is set an hour ahead, an hour behind, or right again. */
  | { kind: 'jump'; host: HostName }
  /** Of what the hosts share. `crash`: without a chance to write anything more. */
  | { kind: 'crash' | 'restart'; service: ServiceName; down: number };

export interface HostSchedule {
  seed: number;
  /** Within which all faults begin and all jobs are submitted. */
  seconds: number;
  jobs: ScheduledJob[];
  faults: Timed<HostFault>[];
}

/** Seconds between two faults, on average: a host needs some seconds to be back. */
const MEAN_GAP = 8;
/** A process answers signals by then. */
const FIRST = 12;
const PEERS: readonly [Peer, ...Peer[]] = ['temporal', 'bucket', 'provider'];
const SERVICES: readonly [ServiceName, ...ServiceName[]] = ['temporal', 'database', 'bucket'];

export function hostSchedule(options: {
  seed: number;
  minutes: number;
  jobs?: number;
}): HostSchedule {
  const { seed, seconds, jobs } = schedule({ ...options, workers: 1 });
  const chance = new Random(seed ^ 0x2c1b3c6d);
  return { seed, seconds, jobs, faults: faultsOf(chance, seconds) };
}

function faultsOf(chance: Random, seconds: number): Timed<HostFault>[] {
  // One host is an hour off from the beginning; whatever kills it sets its clock right.
  const faults: Timed<HostFault>[] = [{ kind: 'jump', host: 'b', at: FIRST }];
  const gap = (): number => -Math.log(1 - chance.next()) * MEAN_GAP + 1;
  for (let at = FIRST + gap(); at < seconds; at += gap()) {
    const host = chance.pick<HostName>(['a', 'b']);
    const down = chance.chance(0.7) ? chance.between(1, 4) : chance.between(4, 20);
    const peer = chance.pick(PEERS);
    const service = chance.pick(SERVICES);
    const short = chance.between(0, 5);
    const fault = chance.weighted<HostFault>([
      { weight: 25, value: { kind: 'kill', host, down } },
      { weight: 8, value: { kind: 'stop', host, down } },
      { weight: 30, value: { kind: 'cut', host, peers: [peer], down: down + 2 } },
      { weight: 7, value: { kind: 'cut', host, peers: PEERS, down } },
      { weight: 10, value: { kind: 'jump', host } },
      { weight: 15, value: { kind: 'crash', service, down: short } },
      { weight: 5, value: { kind: 'restart', service, down: short } },
    ]);
    faults.push({ ...fault, at });
  }
  return faults;
}
