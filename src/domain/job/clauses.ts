/**
 * Splits a provider's free text into clauses of plain words. The text is untrusted and may hold a prompt, a log, a
 * traceback, or megabytes.
 *
 * CLAUSES-1 Only the beginning and the end of a text are read, and every pattern takes linear time on them.
 * CLAUSES-2 Words that the text quotes from the clip's own input, and words in an address, do not count.
 */

/** In lower case, with names split into words and addresses removed. */
export type Clauses = readonly string[];

/** Characters of a text that are read: half from its beginning, half from its end, where a traceback has the error. */
const MAX_READ = 4_000;

/** A shorter string of the input may be a word of the message itself. */
const MIN_QUOTE = 20;

/** `inputTexts`: strings of the clip's own input, which a message may quote. */
export function clausesOf(text: string, inputTexts: readonly string[] = []): Clauses {
  const without = withoutQuotes(cut(text), inputTexts);
  return lines(without)
    .flatMap((line) => line.replace(ADDRESS, addressWord).split(CLAUSE_END))
    .map(plain)
    .filter((clause) => clause !== '');
}

/** CLAUSES-1 */
export const cut = (text: string): string =>
  text.length <= MAX_READ ? text : `${text.slice(0, MAX_READ / 2)}\n${text.slice(-MAX_READ / 2)}`;

/** CLAUSES-2: a quoted string as it is, as JSON escapes it, or after the name of its field. */
function withoutQuotes(text: string, inputTexts: readonly string[]): string {
  const quotes = inputTexts
    .filter((input) => input.trim().length >= MIN_QUOTE)
    .flatMap((input) => [input, JSON.stringify(input).slice(1, -1), input.trim()]);
  return quotes
    .reduce((rest, quote) => rest.split(quote).join(' '), text)
    .replace(QUOTED_FIELD, '$1 ');
}

/** `"prompt": "…"`, `prompt='…'`, `input_value="…"`. */
const QUOTED_FIELD =
  /((?:prompt|input_value|input_text|user_input)["']?\s{0,3}[:=]\s{0,3})(?:"[^"\n]{0,3000}"|'[^'\n]{0,3000}')/gi;

/** Of a traceback only the lines that are not indented: its frames quote code, and code contains any word. */
function lines(text: string): readonly string[] {
  const all = text.split('\n');
  if (!text.includes('Traceback (most recent call last)')) return all;
  return all.filter((line) => line !== '' && !/^(?:[ \t]|Traceback )/.test(line));
}

const CLAUSE_END = /[.!?;] |[.!?;]$|[|。；！？]/;
const ADDRESS =
  /\b(?:https?|s3|gs|file):\/\/[^\s"'<>)\]}]{1,2048}|\bdata:[a-z]{1,20}\/[^\s"'<>)\]}]{1,3000}/gi;
const IMAGE_FILE = /\.(?:jpe?g|png|webp|gif|bmp|heic|avif|tiff?)(?:$|[?#:.,;!])/i;

/** An address counts as the word `url`, or `image url`. */
const addressWord = (address: string): string =>
  IMAGE_FILE.test(address) || address.startsWith('data:') ? 'image url' : 'url';

/** Splits `InputTextSensitive`, `content_policy` and `SAFETY.INPUT` into words. */
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
