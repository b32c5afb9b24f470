/**
 * Which hosts are this machine. The one place that says so: for what may be answered without a key, what is never asked through
 * a proxy, and where the simulator may call back. Names and addresses are taken in upper and lower case, with or without brackets.
 */
const bare = (host: string): string => host.toLowerCase().replace(/^\[|\]$/g, '');

/**
 * `localhost` and all names below it (RFC 6761: browsers never ask DNS for them), ::1, 127.0.0.0/8, and 127.0.0.0/8 mapped into
 * IPv6. Not 0.0.0.0 or ::, by which pages of other sites reach this machine.
 */
export function isLoopback(host: string): boolean {
  const name = bare(host);
  return (
    /^(?:.*[^.]\.)?localhost$/.test(name) ||
    /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/.test(name) ||
    name === '::1' ||
    /^::ffff:7f[\da-f]{2}:[\da-f]{1,4}$/.test(name)
  );
}

/**
 * Does a server that listens on the host hear this machine alone? A name below `localhost` does not count: the system's resolver
 * may ask DNS for it.
 */
export const listensOnLoopback = (host: string): boolean =>
  isLoopback(host) && !bare(host).endsWith('.localhost');

/** Other names than `localhost` that systems give loopback, and the addresses that mean "any of mine" where they are connected to. */
const OTHER_NAMES = new Set([
  ...['ip6-localhost', 'ip6-loopback', 'localhost.localdomain'],
  ...['0.0.0.0', '::', '::ffff:0.0.0.0', '::ffff:0:0'],
]);

/** Does a connection to the host stay on this machine? A name may end in a dot, as the root of DNS. */
export function staysOnThisMachine(host: string): boolean {
  const name = bare(host).replace(/\.$/, '');
  return isLoopback(name) || OTHER_NAMES.has(name);
}
