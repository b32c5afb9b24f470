/** What a fuzzer is, and values that most of them are made of. */
import fc from 'fast-check';

export interface Fuzzer {
  /** Completes "no … breaks anything". */
  name: string;
  /** Cases in CI: a few seconds. */
  runs: number;
  open: () => Promise<OpenFuzzer>;
}

interface OpenFuzzer extends AsyncDisposable {
  /** Rejects for a case that breaks something. */
  property: fc.IAsyncPropertyWithHooks<[never]> | fc.IAsyncProperty<[never]>;
}

/** A property over any one value, as fuzzers hand it out. */
export const propertyOf = <T>(
  arbitrary: fc.Arbitrary<T>,
  holds: (value: T) => Promise<void>,
): OpenFuzzer['property'] =>
  fc.asyncProperty(arbitrary, holds) as unknown as OpenFuzzer['property'];

/** Texts that programs trip over, and any others. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...['', ' ', '\0', '\u001b[2J', '\ud800', '\u202e', '\ufeff', '\u2028', 'ﷺ', '👩‍👩‍👧'],
    ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'NaN', '-0', '1e999', '..'],
    ...['../../etc/passwd', '%2e%2e', 'data:,', 'javascript:alert(1)', 'http://[::1]', 'file:///'],
    'x'.repeat(20_000),
    '<!---->'.repeat(200),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const oddNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, -0, -1, 1e-9, 0.1 + 0.2, 59.9999999, 2 ** 31, 2 ** 53, 2 ** 64, 1e21, 1e308),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

/** Lists or objects in each other. */
const nest = (levels: number, isList: boolean): string =>
  isList
    ? '['.repeat(levels) + ']'.repeat(levels)
    : '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);

/** The text of a deep nest: most programs that read it call themselves. */
const deepNest: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(10, 60, 70, 1_000, 5_000, 50_000), fc.boolean())
  .map(([levels, isList]) => nest(levels, isList));

/** A JSON value of any shape, as text. */
export const anyJson: fc.Arbitrary<string> = fc.oneof(
  fc.json(),
  deepNest,
  fc
    .oneof(oddText, oddNumber, fc.constantFrom(null, true, [], {}))
    .map((value) => JSON.stringify(value)),
);

/** One value of a JSON text put somewhere in the place of another. */
export function mutated(good: object, changes: number): fc.Arbitrary<string> {
  const places = placesOf(JSON.parse(JSON.stringify(good)), []);
  const change = fc.tuple(
    fc.constantFrom(...places),
    fc.oneof(anyJson, fc.constant(null)),
    fc.option(oddText, { freq: 4 }),
  );
  return fc.array(change, { maxLength: changes }).map((list) => {
    // Marks stand for the texts until the end: what is put in need not be a value that survives parsing.
    const value: unknown = JSON.parse(JSON.stringify(good));
    const texts: string[] = [];
    for (const [place, text, key] of list) {
      const parent = place.slice(0, -1).reduce<unknown>(at, value);
      if (typeof parent !== 'object' || parent === null) continue;
      const name = key ?? String(place.at(-1));
      if (text === null) Reflect.deleteProperty(parent, name);
      else {
        const mark = `\u0001${String(texts.push(text) - 1)}\u0001`;
        Object.defineProperty(parent, name, {
          value: mark,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
    }
    return JSON.stringify(value).replace(
      /"\\u0001(\d{1,6})\\u0001"/g,
      (_mark, index: string) => texts[Number(index)] ?? 'null',
    );
  });
}

type Place = readonly (string | number)[];

const at = (value: unknown, key: string | number): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;

function placesOf(value: unknown, place: Place): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    [...place, key],
    ...placesOf(item, [...place, key]),
  ]);
}
