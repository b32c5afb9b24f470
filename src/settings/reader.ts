/**
 * One variable of the environment at a time: read, checked, and refused in one line that names it, says what was expected
 * and what came. An empty value counts as unset.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { decimal } from '../domain/values/decimal.js';
import { withoutTrailing } from '../domain/values/trim-ends.js';

/** A setting that cannot be used: its message is the whole story. Exit 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Env = Readonly<Record<string, string | undefined>>;

const SHOWN = 200;

/** A value as one line: control characters escaped, the end of a long one left out. */
const shown = (value: string): string => {
  const line = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
};

export function refuse(name: string, expected: string, got: string, cause?: unknown): never {
  throw new ConfigError(`${name}: expected ${expected}, got "${shown(got)}".`, { cause });
}

/** A URL with everything between its first `//` (or its beginning) and its last `@` hidden: names and passwords. */
export function withoutUserInfo(url: string): string {
  const at = url.lastIndexOf('@');
  if (at === -1) return url;
  const slashes = url.indexOf('//');
  const start = slashes === -1 || slashes > at ? 0 : slashes + 2;
  return `${url.slice(0, start)}…${url.slice(at)}`;
}

const LABEL = /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/i;

/** An address, or a name as DNS knows them; numbers alone are no name, but a mistyped address. */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const name = domainToASCII(text).replace(/\.$/, '');
  const labels = name.split('.');
  return name.length <= 253 && labels.every((one) => LABEL.test(one)) && !isNumber(labels.at(-1));
}

const isNumber = (label = ''): boolean => /^\d+$/.test(label);

/** `host`, `host:port`, `[::1]:port` or `::1`; null for anything else. */
export function hostAndPort(text: string): { host: string; port: number | null } | null {
  if (isIP(text) === 6) return { host: text, port: null };
  const [, inBrackets, plain, digits] =
    /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = inBrackets ?? plain ?? '';
  const port = digits === undefined ? null : Number(digits);
  const isRight = inBrackets === undefined ? isHost(host) : isIP(host) === 6;
  return isRight && (port === null || (port >= 1 && port <= 65_535)) ? { host, port } : null;
}

export class Reader {
  readonly #env: Env;
  constructor(env: Env) {
    this.#env = env;
  }
  text(name: string): string | null {
    const value = this.#env[name]?.trim();
    return value === undefined || value === '' ? null : value;
  }
  number(name: string, fallback: number, [min, max]: readonly [number, number]): number {
    const value = this.text(name);
    if (value === null) return fallback;
    const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(value) ? decimal(Number(value)) : NaN;
    if (!(number >= min && number <= max)) {
      return refuse(name, `a number from ${String(min)} to ${String(max)}`, value);
    }
    return number;
  }
  port(name: string, fallback: number): number {
    const port = this.number(name, fallback, [1, 65_535]);
    return Number.isInteger(port)
      ? port
      : refuse(name, 'a whole number from 1 to 65535', String(port));
  }
  list(name: string): string[] {
    return (this.text(name) ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  }
  /** An address or a name, without brackets. */
  host(name: string, fallback: string): string {
    const value = this.text(name) ?? fallback;
    const bare = /^\[(.*)\]$/.exec(value)?.[1] ?? value;
    return isHost(bare) ? bare : refuse(name, 'an address or a host name', value);
  }
  /** `host` or `host:port` in lower case, never a URL or a pattern: what does not fit would silently allow nothing. */
  hosts(name: string): string[] {
    return this.list(name).map((item) =>
      hostAndPort(item) === null
        ? refuse(name, 'hosts, each as host or host:port, separated by commas', item)
        : item.toLowerCase(),
    );
  }
  oneOf<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const value = this.text(name) ?? fallback;
    return (
      values.find((item) => item === value) ?? refuse(name, `one of ${values.join(', ')}`, value)
    );
  }
  /** Printable ASCII, as headers take it. Its value is never repeated. */
  secret(name: string): string | null {
    const value = this.text(name);
    if (value === null || /^[\x21-\x7e]+$/.test(value)) return value;
    throw new ConfigError(
      `${name}: expected printable characters without spaces, got something else (not shown).`,
    );
  }
  /** Bearer keys: too long to be guessed, and of what a header can carry. Their values are never repeated. */
  keys(name: string): string[] {
    const keys = [...new Set(this.list(name))];
    if (keys.every((key) => /^[\x21-\x7e]{16,1024}$/.test(key))) return keys;
    throw new ConfigError(
      `${name}: expected keys of 16 to 1,024 printable ASCII characters without spaces, separated by commas; got another one (not shown). A new one: openssl rand -hex 24.`,
    );
  }
  url(name: string, protocols: readonly string[]): string | null {
    const value = this.text(name);
    if (value === null) return null;
    // The parser passes over line breaks and tabs; what sends the value would not.
    const url = !/\s/.test(value) && URL.canParse(value) ? new URL(value) : null;
    if (
      url === null ||
      !protocols.includes(url.protocol) ||
      url.username + url.password + url.hash !== ''
    ) {
      return refuse(
        name,
        `a URL starting with ${protocols.map((p) => `${p}//`).join(' or ')}, without a name, password or # in it`,
        withoutUserInfo(value),
      );
    }
    return withoutTrailing(value, '/');
  }
}
