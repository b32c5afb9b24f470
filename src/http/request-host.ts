/**
 * Which host a request names, and whether a server without keys answers it.
 *
 * The owner of any site can let its name resolve to 127.0.0.1 (DNS rebinding); a page of that site then reaches a
 * server on this machine as its own origin. Only the Host, which no script can set, tells such a request from others.
 *
 * HOST-1 Every line that names the host counts: each Host header and the authority of an absolute target. What a proxy
 *    adds (Forwarded, X-Forwarded-Host) is never read, for any program can write it.
 * HOST-2 A name is read as browsers read it (WHATWG URL), so that every spelling of an address is the same address.
 */
import type { IncomingMessage } from 'node:http';
import { isLoopback } from '../domain/values/loopback.js';

interface HostRefusal {
  status: 400 | 403;
  detail: string;
}

type Request = Pick<IncomingMessage, 'rawHeaders' | 'url' | 'httpVersion'>;

interface Host {
  /** Lower case, without a dot at the end; IPv6 in brackets. */
  name: string;
  /** Null: the default of the scheme, which is not known here. */
  port: number | null;
}

const HOST = /^(\[[\da-f:.]+\]|[\w.-]+)(?::(\d{0,5}))?$/i;
const ABSOLUTE = /^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i;
const DEFAULT_PORTS: readonly number[] = [80, 443];

function parseHost(text: string): Host | null {
  const [, host = '', port = ''] = HOST.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535 || !URL.canParse(`http://${host}`)) return null;
  const name = new URL(`http://${host}`).hostname.replace(/\.$/, ''); // HOST-2
  return { name, port: port === '' ? null : Number(port) };
}

/** An entry without a port stands for all of them; a host without one, for either default port. */
function matches(entry: string, { name, port }: Host): boolean {
  // A setting may hold a bare IPv6 address, a name beyond ASCII, and capitals.
  const bare = /^[\da-f.]*:[\da-f.]*:[\da-f:.]*$/i.test(entry) ? `[${entry}]` : entry;
  const [, host = '', wanted] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(bare) ?? [];
  if (!URL.canParse(`http://${host}`)) return false;
  if (new URL(`http://${host}`).hostname.replace(/\.$/, '') !== name) return false;
  return (
    wanted === undefined ||
    (port === null ? DEFAULT_PORTS.includes(Number(wanted)) : port === Number(wanted))
  );
}

function hostLines({ rawHeaders }: Request): string[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && name.toLowerCase() === 'host' ? [rawHeaders[index + 1] ?? ''] : [],
  );
}

const quoted = (text: string): string =>
  JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);

const notOne = (lines: readonly string[]): HostRefusal => ({
  status: 400,
  detail: `expected one Host header, got ${lines.length === 0 ? 'none' : String(lines.length)}`,
});

/** What servers with keys ask for (RFC 9112, 3.2): one Host; HTTP/1.0 may do without. */
export function hostCountRefusal(request: Request): HostRefusal | null {
  const lines = hostLines(request);
  const isFine = lines.length === 1 || (lines.length === 0 && request.httpVersion === '1.0');
  return isFine ? null : notOne(lines);
}

/** Null when a server without keys may answer: the host is this machine, or one of `allowed` (`host` or `host:port`). */
export function hostRefusal(request: Request, allowed: readonly string[]): HostRefusal | null {
  const lines = hostLines(request);
  if (lines.length !== 1) return notOne(lines);
  const [, authority] = ABSOLUTE.exec(request.url ?? '') ?? [];
  for (const text of authority === undefined ? lines : [...lines, authority]) {
    const host = parseHost(text);
    if (host === null) {
      return { status: 400, detail: `Host: expected host or host:port, got ${quoted(text)}` };
    }
    if (!isLoopback(host.name) && !allowed.some((entry) => matches(entry, host))) {
      return { status: 403, detail: foreignHost(host.name) };
    }
  }
  return null;
}

const foreignHost = (name: string): string =>
  `Host: expected this machine (localhost, 127.0.0.1 or [::1]) or one of ALLOWED_HOSTS, got ${quoted(name)}; ` +
  `if this server is meant to be asked by that name, set ALLOWED_HOSTS=${name.slice(0, 100)}`;

/** Does a page of `origin` belong to the server that is asked as `host`? A default port equals no port. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !/^https?:/i.test(origin) || !URL.canParse(origin)) return false;
  const own = `${new URL(origin).protocol}//${host}`;
  return HOST.test(host) && URL.canParse(own) && new URL(own).host === new URL(origin).host;
}
