/** A file that this user may run. */
export function isProgram(file: string): boolean;
export function findTemporalCli(env?: Readonly<Record<string, string | undefined>>): string | null;
