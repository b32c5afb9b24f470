/**
 * The shapes that a variable of the environment can have, each a schema from its trimmed text to a value. A value that does not
 * fit is refused with "expected …, got …"; config.ts puts the variable's name in front. Secrets never appear in a message.
 */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { decimal } from '../domain/values/decimal.js';
import { withoutTrailing } from '../domain/values/trim-ends.js';
import { ConfigError, expectation } from './config-error.js';

/** The message of a check; `show` hides what must not be repeated. */
export const expected = (what: string, show: (value: string) => string = String) => ({
  error: ({ input }: { input?: unknown }) => expectation(what, show(String(input))),
});

/** Throws the first mistake as a ConfigError; `name` is that of the variable, where the schema has no row for it. */
export function readAs<Value>(schema: z.ZodType<Value>, given: unknown, name?: string): Value {
  const read = schema.safeParse(given);
  if (read.success) return read.data;
  const [mistake] = read.error.issues;
  throw new ConfigError(`${name ?? String(mistake?.path[0])}: ${mistake?.message ?? ''}`);
}

const numberOf = (text: string): number =>
  /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/.test(text) ? decimal(Number(text)) : NaN;

export const number = (min: number, max: number) =>
  z
    .string()
    .refine(
      (text) => numberOf(text) >= min && numberOf(text) <= max,
      expected(`a number from ${String(min)} to ${String(max)}`),
    )
    .transform(numberOf);

export const wholeNumber = (min: number, max: number) =>
  number(min, max).refine(
    Number.isInteger,
    expected(`a whole number from ${String(min)} to ${String(max)}`),
  );

export const port = wholeNumber(1, 65_535);

export const oneOf = <const Word extends string>(...words: Word[]) =>
  z.enum(words, expected(`one of ${words.join(', ')}`));

const LABEL = /^[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/i;

/** An address, or a name as DNS knows them. Digits alone are no last label of a name, but a mistyped address. */
function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const name = domainToASCII(text).replace(/\.$/, '');
  const labels = name.split('.');
  const isNumeric = /^\d+$/.test(labels.at(-1) ?? '');
  return name.length <= 253 && labels.every((label) => LABEL.test(label)) && !isNumeric;
}

/** `host`, `host:port`, `[::1]:port` or `::1`. */
function isHostAndPort(text: string): boolean {
  if (isIP(text) === 6) return true;
  const [, inBrackets, plain = '', digits = '1'] =
    /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isRightHost = inBrackets === undefined ? isHost(plain) : isIP(inBrackets) === 6;
  return isRightHost && Number(digits) >= 1 && Number(digits) <= 65_535;
}

export const hostName = z.string().refine(isHost, expected('a host name'));

export const hostAndPort = z.string().refine(isHostAndPort, expected('host:port'));

const withoutBrackets = (host: string): string => /^\[(.*)\]$/.exec(host)?.[1] ?? host;

/** An address or a name; the value has no brackets. */
export const host = z
  .string()
  .refine((text) => isHost(withoutBrackets(text)), expected('an address or a host name'))
  .transform(withoutBrackets);

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

/** In lower case. URLs and patterns are refused: they would silently allow nothing. */
export const hosts = list.pipe(
  z.array(
    z
      .string()
      .refine(isHostAndPort, expected('hosts, each as host or host:port, separated by commas'))
      .transform((text) => text.toLowerCase()),
  ),
);

/** Printable ASCII, as headers take it. */
export const secret = z
  .string()
  .regex(
    /^[\x21-\x7e]+$/,
    'expected printable characters without spaces, got something else (not shown).',
  );

/** Bearer keys: too long to be guessed, of characters that a header takes. */
export const keys = list
  .transform((items) => [...new Set(items)])
  .refine(
    (items) => items.every((key) => /^[\x21-\x7e]{16,1024}$/.test(key)),
    'expected keys of 16 to 1,024 printable ASCII characters without spaces, separated by commas; got another one (not shown). A new one: openssl rand -hex 24.',
  );

/** A URL with everything between its first `//` (or its beginning) and its last `@` hidden: names and passwords. */
export function withoutUserInfo(url: string): string {
  const at = url.lastIndexOf('@');
  if (at === -1) return url;
  const slashes = url.indexOf('//');
  const start = slashes === -1 || slashes > at ? 0 : slashes + 2;
  return `${url.slice(0, start)}…${url.slice(at)}`;
}

/** The value has no slash at its end. */
export const url = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (text) => {
        // The parser skips line breaks and tabs; what sends the value would not.
        if (/\s/.test(text) || !URL.canParse(text)) return false;
        const { protocol, username, password, hash } = new URL(text);
        return protocols.includes(protocol) && username + password + hash === '';
      },
      expected(
        `a URL starting with ${protocols.map((one) => `${one}//`).join(' or ')}, without a name, password or # in it`,
        withoutUserInfo,
      ),
    )
    .transform((text) => withoutTrailing(text, '/'));

const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/;
const SEGMENT = /^[\w.-]+$/;

/** `s3://bucket` or `s3://bucket/prefix`; the value has no slash at its end. Credentials and regions have variables of their own. */
export const bucketUrl = z
  .string()
  .transform((text) => withoutTrailing(text, '/'))
  .refine(
    (text) => {
      if (!text.startsWith('s3://') || text.length > 600) return false;
      const [bucket = '', ...prefix] = text.slice('s3://'.length).split('/');
      return (
        BUCKET.test(bucket) &&
        prefix.every((one) => SEGMENT.test(one) && one !== '.' && one !== '..')
      );
    },
    expected(
      's3://bucket or s3://bucket/prefix, with a bucket of 3 to 63 lower-case letters, digits, dots or hyphens and a prefix of letters, digits, dots, hyphens or underscores',
      withoutUserInfo,
    ),
  );

export const yesOrNo = oneOf('true', 'false').transform((word) => word === 'true');

/** A name that Temporal keeps in its database. */
export const temporalName = (max: number) =>
  z
    .string()
    .refine(
      (name) => /^[^\s\p{C}/]+$/u.test(name) && name.length <= max,
      expected(`1 to ${String(max)} characters without spaces or slashes`),
    );

/** One word of a deployment's version. Temporal writes a version as `name:build` or `name.build`. */
export const versionWord = (pattern: RegExp, what: string) =>
  z.string().refine((word) => pattern.test(word), expected(what));

export interface CodecKey {
  id: string;
  /** 32 bytes. */
  key: Buffer;
}

const BAD_CODEC_KEY =
  'expected keys as id:key, separated by commas, each id of 1 to 64 characters A-Z a-z 0-9 _ . - and used once, each key 32 bytes in base64; got another one (not shown). A new one: openssl rand -base64 32.';

function codecKeyOf(item: string): CodecKey | null {
  const [, id, text] = /^([\w.-]{1,64}):([A-Za-z\d+/]{43}=)$/.exec(item) ?? [];
  return id === undefined || text === undefined ? null : { id, key: Buffer.from(text, 'base64') };
}

/** The first encrypts, all decrypt. */
export const codecKeys = list
  .refine((items) => {
    const ids = items.map((item) => codecKeyOf(item)?.id);
    return ids.every((id) => id !== undefined) && new Set(ids).size === ids.length;
  }, BAD_CODEC_KEY)
  .transform((items) => items.map(codecKeyOf).filter((key) => key !== null));

const isOrigin = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;

export const origins = list.pipe(
  z.array(
    z
      .string()
      .refine(
        isOrigin,
        expected('origins, each as http://host:port or https://host, separated by commas'),
      ),
  ),
);
