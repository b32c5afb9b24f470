/** What TypeScript may know of the search for the `temporal` program. */
export function findTemporalCli(env?: Readonly<Record<string, string | undefined>>): string | null;
