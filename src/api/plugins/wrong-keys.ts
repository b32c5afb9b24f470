/**
 * Slows the guessing of keys: counts the wrong keys of each address within a minute.
 *
 * GUESS-1 only refusals are delayed. A request with a right key does not come here, so that clients behind one proxy do not lock
 *    each other out.
 * GUESS-2 the table is bounded: the oldest entry makes room. Addresses of one IPv6 network (/64) count as one, because one client
 *    has all of them.
 * GUESS-3 a delayed refusal holds its connection: a few of one client are delayed, the others are answered at once, with 429.
 */
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface Counted {
  /** Milliseconds. */
  since: number;
  wrong: number;
  /** Refusals that are being delayed. */
  slowed: number;
}

export interface WrongKeys {
  /** Counts one; seconds until the address counts as new, or null while there were few. */
  count(address: string): number | null;
  /** GUESS-3: waits; false, at once, where too many of this address wait already. */
  slow(address: string): Promise<boolean>;
}

const MINUTE = 60_000;
/** Within a minute. */
const FEW = 20;
const MAX_ADDRESSES = 10_000;
/** Milliseconds. */
const PAUSE = 250;
/** Of one address at a time. */
const MAX_SLOWED = 4;

export function createWrongKeys(now: () => number = Date.now, pause = PAUSE): WrongKeys {
  /** In the order of their first wrong key. */
  const counts = new Map<string, Counted>();

  const forget = (at: number): void => {
    for (const [client, { since }] of counts) {
      if (at - since < MINUTE && counts.size < MAX_ADDRESSES) return;
      counts.delete(client); // GUESS-2
    }
  };

  return {
    count(address) {
      const at = now();
      const client = clientOf(address);
      const known = counts.get(client);
      if (known === undefined || at - known.since >= MINUTE) {
        counts.delete(client);
        forget(at);
        counts.set(client, { since: at, wrong: 1, slowed: 0 });
        return null;
      }
      known.wrong += 1;
      return known.wrong > FEW ? Math.ceil((known.since + MINUTE - at) / 1000) : null;
    },
    async slow(address) {
      const known = counts.get(clientOf(address));
      if (known === undefined) return true;
      if (known.slowed >= MAX_SLOWED) return false;
      known.slowed += 1;
      await sleep(pause);
      known.slowed -= 1;
      return true;
    },
  };
}

/** The first four groups of an IPv6 address; an IPv4 address, mapped or not, as it is. */
export function clientOf(address: string): string {
  const bare = address.split('%', 1)[0] ?? '';
  if (!isIPv6(bare) || bare.includes('.')) return bare;
  const [head = [], tail = []] = bare.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  const network = [...head, ...zeros, ...tail].slice(0, 4);
  return network.map((group) => parseInt(group, 16).toString(16)).join(':');
}
