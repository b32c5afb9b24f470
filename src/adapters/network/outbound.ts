/**
 * Requests to the provider and for its files, through the proxy that the environment names (config.ts reads it).
 *
 * O1 What runs on this machine is never asked through a proxy.
 * O2 A request that a proxy keeps from its goal says so, and names the proxy without what is secret in its address.
 */
import type { ProxyAgent } from 'undici';
import { isLoopback } from '../../config.js';
import type { Proxies, Proxy } from '../../config.js';

/** Names and addresses that stay on this machine, those included that mean "any of mine" when they are connected to. */
export function isOwnMachine(host: string): boolean {
  const bare = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .replace(/^::ffff:/, '');
  return (
    isLoopback(bare) || OWN.has(bare) || bare.endsWith('.localhost') || /^7f[\da-f]{2}:/.test(bare)
  );
}
const OWN = new Set(['0.0.0.0', '::', 'ip6-localhost', 'ip6-loopback', 'localhost.localdomain']);

/** The global `fetch` where no proxy is named. */
export function outboundFetch(proxies: Proxies | undefined): typeof fetch {
  if (proxies === undefined || (proxies.http ?? proxies.https) === null) return fetch;
  const agents = new Map<Proxy, Promise<ProxyAgent>>();
  const agentOf = (proxy: Proxy): Promise<ProxyAgent> => {
    const agent = agents.get(proxy) ?? createAgent(proxy);
    agents.set(proxy, agent);
    return agent;
  };
  return async (input, init) => {
    const proxy = proxyFor(new URL(input instanceof Request ? input.url : input), proxies);
    if (proxy === null) return fetch(input, init);
    try {
      const through: object = { ...init, dispatcher: await agentOf(proxy) };
      return await fetch(input, through);
    } catch (error) {
      if (init?.signal?.aborted === true) throw error;
      throw new ProxyError(proxy, error);
    }
  };
}

/** Loaded where there is a proxy: 100 modules and 2 MB that few need. */
async function createAgent({ url }: Proxy): Promise<ProxyAgent> {
  const { ProxyAgent } = await import('undici');
  return new ProxyAgent({ uri: url, proxyTunnel: false });
}

/** Its message is fit to be shown as it is. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  constructor({ variable, url }: Proxy, error: unknown) {
    const { protocol, host } = new URL(url);
    super(`no answer through the proxy ${protocol}//${host} (${variable}): ${reasonOf(error)}`);
  }
}

/** The code of the innermost cause, or the status with which the proxy refused. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  const { cause } = error;
  if (cause instanceof Error) return reasonOf(cause);
  const refused = /^Proxy .*\((\d{3})\)/.exec(error.message)?.[1];
  if (refused !== undefined) return `it refused with HTTP ${refused}`;
  return 'code' in error ? String(error.code) : error.name;
}

/** Null: the host is asked directly. */
export function proxyFor(url: URL, { http, https, direct }: Proxies): Proxy | null {
  const host = url.hostname.toLowerCase().replace(/^\[|\]$/g, '');
  const port = url.port !== '' ? url.port : url.protocol === 'https:' ? '443' : '80';
  if (isOwnMachine(host) || direct.some((entry) => covers(entry, host, port))) return null;
  return url.protocol === 'https:' ? https : http;
}

/** `*`, `host`, `.domain`, `*.domain`, each with or without a port; a name covers the names below it, as with curl. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [, name = entry, itsPort = port] = /^(\[[\da-f:.]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  return itsPort === port && (host === bare || host.endsWith(`.${bare}`));
}
