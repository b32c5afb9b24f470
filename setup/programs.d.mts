/** A file that this user may run. */
export function isProgram(file: string): boolean;
/** Null for none. */
export function programPath(name: string, env?: NodeJS.ProcessEnv): string | null;
