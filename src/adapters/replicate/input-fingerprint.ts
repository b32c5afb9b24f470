/**
 * Inputs in a form that is small to keep and says whether what the provider stores is what was sent. It may store more
 * (defaults), write a number as a text or a text with other blanks, and keep files at an address of its own.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../domain/values/canonical-json.js';

/** Field → its value: a short text as it is, a long one as a hash, a file as its host and a hash. */
export type Marks = Readonly<Record<string, string>>;
type Input = Readonly<Record<string, unknown>>;

/** How well a stored input fits one that was sent, best first. */
export const FITS = ['equal', 'more', 'rewritten'] as const;
type Fit = (typeof FITS)[number];

export type Drift = 'added' | 'changed' | 'missing' | 'rewritten';

/** Characters up to which a text is kept as it is. */
const SHORT = 16;
const FILE = /^(?:https?:\/\/|data:)/i;

const hash = (text: string): string =>
  text.length <= SHORT ? text : createHash('sha256').update(text).digest('base64url').slice(0, 16);

const isFile = (value: unknown): value is string => typeof value === 'string' && FILE.test(value);

/** `@host#hash`; of an inline file without a host. */
const fileMark = (address: string): string =>
  `@${URL.canParse(address) ? new URL(address).host : ''}#${hash(address)}`;

const plain = (text: string): string =>
  hash(text.toWellFormed().normalize().trim().replace(/\s+/g, ' '));

function markOf(value: unknown): string {
  if (isFile(value)) return fileMark(value);
  if (Array.isArray(value) && value.length > 0 && value.every(isFile)) {
    return value.map(fileMark).join(' ');
  }
  if (typeof value === 'string') return plain(value);
  return hash(canonicalJson(value));
}

/** A field that is null or undefined says nothing. */
export const marksOf = (input: Input): Marks =>
  Object.fromEntries(
    Object.entries(input)
      .filter(([, value]) => value != null)
      .map(([field, value]) => [field, markOf(value)]),
  );

/** The provider has copied the files to a host of its own, where their addresses say nothing of the ones that were sent. */
function isRewritten(
  sent: string,
  stored: string,
  isProviders: (host: string) => boolean,
): boolean {
  const [from, to] = [sent.split(' '), stored.split(' ')];
  const hostOf = (mark: string): string => mark.slice(1, mark.indexOf('#'));
  return (
    from.length === to.length &&
    from.every((mark, at) => {
      const other = to[at] ?? '';
      if (mark === other) return true;
      const areFiles = mark.startsWith('@') && other.startsWith('@');
      return areFiles && hostOf(mark) !== hostOf(other) && isProviders(hostOf(other));
    })
  );
}

/** Null when a field that was sent is missing in what is stored, or differs. */
export function fitOf(
  sent: Marks,
  stored: Marks,
  isProviders: (host: string) => boolean,
): Fit | null {
  const drifts = driftsOf(sent, stored, isProviders).map(([, drift]) => drift);
  if (drifts.some((drift) => drift === 'changed' || drift === 'missing')) return null;
  // An empty input would fit everything.
  if (Object.keys(sent).length === 0 && drifts.length > 0) return null;
  if (drifts.includes('rewritten')) return 'rewritten';
  return drifts.includes('added') ? 'more' : 'equal';
}

/** A field may have a name that every object has, such as `toString`. */
const markIn = (marks: Marks, field: string): string | undefined =>
  Object.hasOwn(marks, field) ? marks[field] : undefined;

/** Each field in which what is stored is not what was sent. */
export function driftsOf(
  sent: Marks,
  stored: Marks,
  isProviders: (host: string) => boolean,
): [field: string, drift: Drift][] {
  const fields = new Set([...Object.keys(sent), ...Object.keys(stored)]);
  return [...fields].flatMap((field): [string, Drift][] => {
    const [was, is] = [markIn(sent, field), markIn(stored, field)];
    if (was === is) return [];
    if (was === undefined) return [[field, 'added']];
    if (is === undefined) return [[field, 'missing']];
    return [[field, isRewritten(was, is, isProviders) ? 'rewritten' : 'changed']];
  });
}

/** Where Replicate keeps files: its delivery hosts, and the host of its API. */
export const providersHosts = (base_url: string): ((host: string) => boolean) => {
  const own = new URL(base_url).host;
  return (host) =>
    host === own || host === 'replicate.delivery' || host.endsWith('.replicate.delivery');
};
