/** How a bad setting is refused: in one line that names the variable, says what was expected and what came. */

/** A setting that cannot be used: its message is the whole story. Exit 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Env = Readonly<Record<string, string | undefined>>;

const MAX_SHOWN = 200;

/** A value as one line: control characters escaped, a long one cut. */
function shown(value: string): string {
  const line = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN)}…` : line;
}

export const expectation = (expected: string, got: string): string =>
  `expected ${expected}, got "${shown(got)}".`;

export function refuse(name: string, expected: string, got: string, cause?: unknown): never {
  throw new ConfigError(`${name}: ${expectation(expected, got)}`, { cause });
}
