/**
 * Where in a prediction's output the video is. Models answer with a URL, a list, or an object of any shape; some put
 * the file itself into the answer, as a `data:` URL. Pure, linear in what it looks at, and it never throws.
 *
 * OUTPUT-1 At most MAX_VALUES values and MAX_DEPTH levels are looked at, whatever a model answers.
 * OUTPUT-2 The contents of a file stay out of `url` and `says`: these go into histories, logs and messages.
 */

/** What an output holds. */
export type Output =
  /** Nothing at all: null, empty texts, empty lists and objects. */
  | { type: 'empty' }
  /** A file to fetch. */
  | { type: 'file'; url: string }
  /** The file itself, as the `data:` URL that the model answered with. */
  | { type: 'inline'; data: string }
  /** Something, but no video; `says` shows it, shortened. */
  | { type: 'odd'; says: string };

/** Stands for a file that the prediction itself holds (OUTPUT-2): it is read out of the prediction when it is stored. */
export const INLINE_URL = 'data:,';

export const isInline = (url: string): boolean => /^\s{0,16}data:/i.test(url);

const MAX_VALUES = 2_000;
const MAX_DEPTH = 8;
/** Signed URLs are long; what is longer than this is no address. */
const MAX_URL = 16_384;

const VIDEO = /\.(?:mp4|m4v|mov|qt|webm|mkv|avi|mpe?g|m2ts|ogv|3gp|flv|wmv)$/i;
/** Files that are certainly no video. */
const OTHER =
  /\.(?:jpe?g|png|webp|gif|avif|heic|bmp|tiff?|svg|mp3|wav|m4a|aac|ogg|opus|flac|srt|vtt|json|txt|log|html?|csv|zip|safetensors)$/i;

/** Keys of what accompanies a video, in any spelling; whatever is below such a key accompanies it too. */
const ACCOMPANIES =
  /thumb|preview|poster|cover|still|frame|image|picture|audio|sound|music|caption|subtitle|mask|input|source(?!s)|^logs?$/i;
/** Keys that name the file, the likeliest first. */
const NAMES = ['video', 'videos', 'url', 'file', 'output', 'uri', 'href', 'src', 'urls'];

interface Candidate {
  url: string;
  /** Lower is better; what comes first wins among equals. */
  rank: number;
}

/** How likely an address is a video's, by itself; null when it is not. Lower is better. */
function rankOf(text: string): number | null {
  if (isInline(text)) return inlineRank(text);
  if (text.length > MAX_URL || !URL.canParse(text)) return null;
  const { protocol, pathname } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:') return null;
  if (VIDEO.test(pathname)) return 0;
  return OTHER.test(pathname) ? null : 2;
}

/** A file without a type is taken for the video; a text or a picture is not. */
function inlineRank(text: string): number | null {
  const type = /^\s*data:\s*([^;,\s]*)/i.exec(text.slice(0, 300))?.[1]?.toLowerCase() ?? '';
  if (type.startsWith('video/')) return 1;
  const isBytes = /^(?:application\/(?:octet-stream|mp4|x-matroska)|binary\/octet-stream)$/.test(
    type,
  );
  const isUntyped = type === '' && /^\s*data:[^,]*;\s*base64\s*,/i.test(text.slice(0, 300));
  return isBytes || isUntyped ? 3 : null;
}

interface Place {
  value: unknown;
  depth: number;
  /** The nearest key that led here; lists add none. */
  key: string | null;
  isAccompanying: boolean;
}

/** An address that only accompanies the video loses against any other. */
function placeRank({ key, isAccompanying }: Place): number {
  const name = key === null ? 0 : NAMES.indexOf(key.toLowerCase());
  return (isAccompanying ? 1_000 : 0) + (name < 0 ? NAMES.length : name);
}

export function findOutput(output: unknown): Output {
  let best: Candidate | null = null;
  let isEmpty = true;
  const places: Place[] = [{ value: output, depth: 0, key: null, isAccompanying: false }];
  // OUTPUT-1: the list grows while it is read, level by level.
  for (let at = 0; at < places.length && at < MAX_VALUES; at++) {
    const place = places[at];
    if (place === undefined) break;
    const { value } = place;
    if (typeof value === 'string') {
      if (value.trim() === '') continue;
      isEmpty = false;
      const own = rankOf(value);
      if (own === null || (place.isAccompanying && own > 1)) continue;
      const rank = own * 100 + placeRank(place);
      if (best === null || rank < best.rank) best = { url: value, rank };
    } else if (typeof value === 'object' && value !== null) {
      const inside = partsOf(place);
      const room = place.depth < MAX_DEPTH ? MAX_VALUES - places.length : 0;
      places.push(...inside.slice(0, room));
      // What was not looked at may be anything.
      isEmpty &&= inside.length <= room;
    } else if (value !== null && value !== undefined) {
      isEmpty = false;
    }
  }
  if (best === null) return isEmpty ? { type: 'empty' } : { type: 'odd', says: sketch(output) };
  if (isInline(best.url)) return { type: 'inline', data: best.url.trimStart() };
  return { type: 'file', url: best.url.trim() };
}

function partsOf({ value, depth, key, isAccompanying }: Place): Place[] {
  const below = { depth: depth + 1, key, isAccompanying };
  if (Array.isArray(value)) return value.map((item: unknown) => ({ ...below, value: item }));
  return Object.entries(value as Record<string, unknown>).map(([name, item]) => ({
    ...below,
    value: item,
    key: name,
    isAccompanying: isAccompanying || ACCOMPANIES.test(name.slice(0, 100)),
  }));
}

const SKETCH = { entries: 6, depth: 4, text: 80, whole: 300 };

/** Characters that control a terminal or a log, half surrogate pairs, and how JSON writes them. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\\u[0-9a-f]{4}/gu;

/** A value in one short line: long texts, lists and objects are cut. */
export function sketch(value: unknown): string {
  const text = JSON.stringify(cut(value, 0)) ?? 'nothing';
  const shown = text.length <= SKETCH.whole ? text : `${text.slice(0, SKETCH.whole)}…`;
  return shown.replace(UNSAFE, ' ');
}

function cut(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cutText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= SKETCH.depth) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, SKETCH.entries).map((item: unknown) => cut(item, depth + 1));
    return value.length > SKETCH.entries ? [...items, '…'] : items;
  }
  const entries = Object.entries(value as Record<string, unknown>);
  const shown = entries
    .slice(0, SKETCH.entries)
    .map(([key, item]): [string, unknown] => [cutText(key), cut(item, depth + 1)]);
  return Object.fromEntries(entries.length > SKETCH.entries ? [...shown, ['…', '…']] : shown);
}

/** OUTPUT-2: of a `data:` URL only what it says of itself is shown. */
function cutText(text: string): string {
  const shown = text.slice(0, SKETCH.text);
  const most = isInline(text) ? `${shown},`.indexOf(',') : SKETCH.text;
  return text.length <= most ? text : `${shown.slice(0, most)}…`;
}
