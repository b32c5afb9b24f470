/**
 * Decodes a file that came as a `data:` URL (RFC 2397) into the response that its download would be. Linear in its
 * length; a size over the limit is refused before anything is decoded.
 */
type Decoded = { type: 'decoded'; response: Response } | { type: 'refused'; message: string };

/** Media types with all their parameters are shorter. */
const MAX_HEADER = 2_000;

export function decodeInline(url: string, maxBytes: number): Decoded {
  const comma = endOfHeader(url);
  if (comma === null) return refused('expected a data: URL with a comma after its media type');
  const header = url.slice(url.indexOf(':') + 1, comma);
  const body = url.slice(comma + 1);
  const isBase64 = /;\s*base64\s*$/i.test(header);
  // At least: three characters a byte where all are escaped, and four such bytes for three where they are base64.
  const least = Math.floor((isBase64 ? body.length * 0.75 : body.length) / 3);
  if (least > maxBytes) return refused(`expected at most ${String(maxBytes)} bytes of inline file`);
  const raw = unescaped(body);
  const bytes = isBase64 ? fromBase64(raw) : raw;
  if (bytes === null) return refused('expected base64 after ";base64,", got something else');
  if (bytes.length === 0) return refused('expected an inline file, got no bytes');
  if (bytes.length > maxBytes) {
    return refused(
      `expected at most ${String(maxBytes)} bytes, the inline file has ${String(bytes.length)}`,
    );
  }
  return { type: 'decoded', response: new Response(new Uint8Array(bytes)) };
}

const refused = (message: string): Decoded => ({ type: 'refused', message });

/** The first comma that is not in a quoted parameter, such as `codecs="avc1,mp4a"`. */
function endOfHeader(url: string): number | null {
  let isQuoted = false;
  for (let at = 0; at < url.length && at < MAX_HEADER; at++) {
    if (url[at] === '"') isQuoted = !isQuoted;
    if (url[at] === ',' && !isQuoted) return at;
  }
  const first = url.slice(0, MAX_HEADER).indexOf(',');
  return first < 0 ? null : first;
}

/** The bytes of a percent-encoded text; characters that are not escaped are in UTF-8. */
function unescaped(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  if (!text.includes('%')) return bytes;
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const escaped = bytes[at] === PERCENT ? hexAt(bytes, at + 1) : null;
    bytes[length++] = escaped ?? bytes[at] ?? 0;
    if (escaped !== null) at += 2;
  }
  return bytes.subarray(0, length);
}

const PERCENT = 0x25;

function hexAt(bytes: Buffer, at: number): number | null {
  const digits = bytes.toString('latin1', at, at + 2);
  return /^[0-9a-f]{2}$/i.test(digits) ? Number.parseInt(digits, 16) : null;
}

/** Either alphabet, with or without padding and white space; null for anything else. */
function fromBase64(text: Buffer): Buffer | null {
  const plain = text.toString('latin1').replace(/\s+/g, '');
  return /^[A-Za-z0-9+/_-]*={0,2}$/.test(plain) ? Buffer.from(plain, 'base64') : null;
}
