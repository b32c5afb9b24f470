/**
 * Requests to the provider and for its files, through the proxy that the environment names (settings/proxies.ts).
 *
 * PROXY-1 A server on this machine is never asked through a proxy.
 * PROXY-2 A request that fails at the proxy says so, and names the proxy without its user name and password.
 */
import type { ProxyAgent } from 'undici';
import { staysOnThisMachine } from '../../domain/values/loopback.js';
import type { Proxies, Proxy } from '../../config.js';

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

/** Loaded only where there is a proxy: 100 modules and 2 MB. */
async function createAgent({ url }: Proxy): Promise<ProxyAgent> {
  const { ProxyAgent } = await import('undici');
  return new ProxyAgent({ uri: url, proxyTunnel: false });
}

/** PROXY-2 Its message holds no secret. */
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
  if (staysOnThisMachine(host) || direct.some((entry) => covers(entry, host, port))) return null;
  return url.protocol === 'https:' ? https : http;
}

/** `*`, `host`, `.domain`, `*.domain`, each with or without a port; a name covers the names below it, as with curl. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [, name = entry, itsPort = port] = /^(\[[\da-f:.]+\]|[^:]+):(\d+)$/.exec(entry) ?? [];
  const bare = name.replace(/^\[|\]$/g, '').replace(/^\*?\./, '');
  return itsPort === port && (host === bare || host.endsWith(`.${bare}`));
}
