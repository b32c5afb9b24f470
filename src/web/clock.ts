/**
 * The server's time as this browser can know it. Countdowns compare with the server's timestamps, so
 * a browser whose clock is wrong must not show attempts in the past. Learnt from `Date` headers.
 */

let skew = 0;

export const now = (): number => Date.now() + skew;

/** The header has whole seconds and travels a while: small differences mean nothing. */
export function learnTime(dateHeader: string | null): void {
  const server = Date.parse(dateHeader ?? '');
  if (Number.isNaN(server)) return;
  const difference = server - Date.now();
  skew = Math.abs(difference) > 3000 ? difference : 0;
}
