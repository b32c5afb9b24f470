/** The figures of a chaos run over hosts, and its last line. Pure. */
import { countsOf, jobFiguresOf, lineWith } from '../figures.js';
import type { JobFigures } from '../figures.js';
import type { HostFault, HostSchedule } from './host-schedule.js';
import type { Peer } from './network.js';
import type { ServiceName } from './services.js';

export interface HostFigures extends JobFigures {
  /** Of a whole host. */
  kills: number;
  stops: number;
  /** Wires, by what they led to. */
  cuts: Record<Peer, number>;
  /** Of a host's clock. */
  jumps: number;
  restarts: Record<ServiceName, number>;
  /** That viewers read at the other API. */
  streamed_events: number;
}

type Parts = Omit<Parameters<typeof jobFiguresOf>[0], 'plan'> & {
  plan: HostSchedule;
  injected: readonly HostFault[];
  events: number;
};

export function hostFiguresOf({ injected, events, ...parts }: Parts): HostFigures {
  const count = (isMeant: (fault: HostFault) => boolean): number => injected.filter(isMeant).length;
  const cuts = (peer: Peer): number =>
    count((fault) => fault.kind === 'cut' && fault.peers.includes(peer));
  const restarts = (service: ServiceName): number =>
    count((fault) => 'service' in fault && fault.service === service);
  return {
    ...jobFiguresOf(parts),
    kills: count(({ kind }) => kind === 'kill'),
    stops: count(({ kind }) => kind === 'stop'),
    cuts: { temporal: cuts('temporal'), bucket: cuts('bucket'), provider: cuts('provider') },
    jumps: count(({ kind }) => kind === 'jump'),
    restarts: {
      temporal: restarts('temporal'),
      database: restarts('database'),
      bucket: restarts('bucket'),
    },
    streamed_events: events,
  };
}

export const hostLineOf = (figures: HostFigures): string =>
  lineWith(figures, [
    `hosts killed ${String(figures.kills)}`,
    `stopped ${String(figures.stops)}`,
    `cuts (${countsOf(figures.cuts)})`,
    `jumps ${String(figures.jumps)}`,
    `restarts (${countsOf(figures.restarts)})`,
    `events streamed ${String(figures.streamed_events)}`,
  ]);
