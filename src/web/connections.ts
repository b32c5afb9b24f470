/**
 * Turns at the browser's connections. HTTP/1.1 has six for an origin, shared by every tab and window,
 * and an act (POST) must find one free: it never waits here. Everything else does, by Web Locks, which all tabs
 * share and the browser takes back from a tab that dies.
 *
 * LANES-1 over all tabs at most two event streams, one short read, one picture and one video are under way: five of six.
 * LANES-2 without Web Locks (plain HTTP from another machine, old browsers) tabs cannot agree: a tab holds no stream, and takes
 *    turns with itself alone.
 */

const STREAMS = ['stream-1', 'stream-2'];

/** `short`: an answer at once. `picture`, `video`: as long as a file takes. */
type Lane = 'short' | 'picture' | 'video';

/** Gives a turn back; more than once does nothing. */
type Release = () => void;

/** Missing outside of secure contexts, although its type does not tell. */
const locks: () => LockManager | undefined = () => navigator.locks;

/** The right to hold an event stream; null when there is none to have now. */
export async function takeStream(): Promise<Release | null> {
  for (const name of STREAMS) {
    const release = await lock(name, { ifAvailable: true }).catch(() => null);
    if (release !== null) return release;
  }
  return null;
}

/** Waits until a lane is free, and holds it. Rejects when `signal` is aborted before. */
export async function takeTurn(lane: Lane, signal: AbortSignal): Promise<Release> {
  signal.throwIfAborted();
  const release = locks() === undefined ? await turnOfThisTab(lane) : await lock(lane, { signal });
  if (release === null) throw new Error(`Nothing holds ${lane}, and it is not to be had`);
  return release;
}

/** Does the work when its lane is free, and answers what it answers. The work has to end by itself. */
export async function inTurn<T>(lane: Lane, work: () => Promise<T>): Promise<T> {
  const release = await takeTurn(lane, NEVER);
  try {
    return await work();
  } finally {
    release();
  }
}

const NEVER = new AbortController().signal;

function lock(name: string, options: LockOptions): Promise<Release | null> {
  const manager = locks();
  if (manager === undefined) return Promise.resolve(null); // LANES-2
  return new Promise((resolve, reject) => {
    manager
      .request(name, options, (held) => {
        if (held !== null) return new Promise<void>(resolve);
        resolve(null);
        return undefined;
      })
      .catch(reject); // aborted, or the document is on its way out
  });
}

const last = new Map<Lane, Promise<void>>();

async function turnOfThisTab(lane: Lane): Promise<Release> {
  const before = last.get(lane);
  let release: Release = () => undefined;
  last.set(lane, new Promise((resolve) => (release = resolve)));
  await before;
  return release;
}
