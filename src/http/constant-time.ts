/** Comparison that takes as long for a near miss as for any other text of the same length. */
import { timingSafeEqual } from 'node:crypto';

export function isSameSecret(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
