/**
 * A provider's free text taken apart into clauses of plain words. It comes from outside, and may hold anything: a prompt,
 * a log, a traceback, megabytes.
 *
 * W1 Only the beginning and the end of a text are read, and every pattern is linear on what is left.
 * W2 What a text quotes of the clip's own input does not count, nor do the words in an address.
 */

/** In small letters, names taken apart, addresses taken out. */
export type Clauses = readonly string[];

/** Characters of a text that are read: half from its beginning, half from its end, where tracebacks say what was wrong. */
const READ = 4_000;

/** Shorter strings of an input are words that a message may use for itself. */
const SHORTEST_ECHO = 20;

/** `echoes`: strings of the clip's own input, which a message may repeat. */
export function clausesOf(text: string, echoes: readonly string[] = []): Clauses {
  const without = withoutEchoes(cut(text), echoes);
  return lines(without)
    .flatMap((line) => line.replace(ADDRESS, addressWord).split(CLAUSE_END))
    .map(plain)
    .filter((clause) => clause !== '');
}

/** W1 */
export const cut = (text: string): string =>
  text.length <= READ ? text : `${text.slice(0, READ / 2)}\n${text.slice(-READ / 2)}`;

/** W2: whole, as JSON writes it, and where a message names the field it quotes. */
function withoutEchoes(text: string, echoes: readonly string[]): string {
  const whole = echoes
    .filter((echo) => echo.trim().length >= SHORTEST_ECHO)
    .flatMap((echo) => [echo, JSON.stringify(echo).slice(1, -1), echo.trim()]);
  return whole
    .reduce((rest, echo) => rest.split(echo).join(' '), text)
    .replace(QUOTED_FIELD, '$1 ');
}

/** `"prompt": "…"`, `prompt='…'`, `input_value="…"`. */
const QUOTED_FIELD =
  /((?:prompt|input_value|input_text|user_input)["']?\s{0,3}[:=]\s{0,3})(?:"[^"\n]{0,3000}"|'[^'\n]{0,3000}')/gi;

/** Of a traceback only what is not indented: the frames quote code, and code is full of words. */
function lines(text: string): readonly string[] {
  const all = text.split('\n');
  if (!text.includes('Traceback (most recent call last)')) return all;
  return all.filter((line) => line !== '' && !/^(?:[ \t]|Traceback )/.test(line));
}

const CLAUSE_END = /[.!?;] |[.!?;]$|[|。；！？]/;
const ADDRESS =
  /\b(?:https?|s3|gs|file):\/\/[^\s"'<>)\]}]{1,2048}|\bdata:[a-z]{1,20}\/[^\s"'<>)\]}]{1,3000}/gi;
const IMAGE_FILE = /\.(?:jpe?g|png|webp|gif|bmp|heic|avif|tiff?)(?:$|[?#:.,;!])/i;

/** An address says nothing with the words in it, but that it is one, and perhaps one of an image. */
const addressWord = (address: string): string =>
  IMAGE_FILE.test(address) || address.startsWith('data:') ? 'image url' : 'url';

/** `InputTextSensitive`, `content_policy`, `SAFETY.INPUT` become words. */
function plain(clause: string): string {
  return clause
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[’‘]/g, "'")
    .replace(/[_\-./\\]/g, ' ')
    .replace(/\bfor url: url\b/g, ' ')
    .replace(/["`,{}[\]()<>*#~^]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
