/** The proxies of the environment: the names that every program reads, in either case, lower case first. */
import { refuse } from './config-error.js';
import type { Env } from './config-error.js';
import { withoutUserInfo } from './shapes.js';

export interface Proxy {
  /** The variable that names it. */
  variable: string;
  /** May hold a password. */
  url: string;
}

export interface Proxies {
  /** For http: and https: URLs; null: none. */
  http: Proxy | null;
  https: Proxy | null;
  /** Entries of NO_PROXY, in lower case. */
  direct: string[];
}

/** Without a proxy of its own, https uses that of http. grpc_proxy is read by the SDK, and only checked here. */
export function readProxies(env: Env): Proxies {
  const [http, https] = ['http_proxy', 'https_proxy', 'grpc_proxy'].map((name) =>
    proxyOf(env, name),
  );
  const direct = (given(env, 'no_proxy') || given(env, 'NO_PROXY')).toLowerCase();
  return {
    http: http ?? null,
    https: https ?? http ?? null,
    direct: direct.split(/[\s,]+/).filter(Boolean),
  };
}

function proxyOf(env: Env, name: string): Proxy | null {
  const variable = [name, name.toUpperCase()].find((either) => given(env, either) !== '');
  if (variable === undefined) return null;
  const url = given(env, variable);
  if (isProxyUrl(url)) return { variable, url };
  const expected = 'the URL of a proxy, as http://host:port or https://host:port';
  return refuse(variable, expected, withoutUserInfo(url));
}

const given = (env: Env, name: string): string => env[name]?.trim() ?? '';

function isProxyUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '';
}
