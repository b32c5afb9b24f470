export interface Target {
  host: string;
  port: string;
  path: string;
}

/** `commandLine`: of the first process, its words ended by NUL, as /proc has them. Null: nothing to ask. */
export function healthOf(
  commandLine: string,
  env: Readonly<Record<string, string | undefined>>,
): Target | null;
