export function findTemporalCli(env?: Readonly<Record<string, string | undefined>>): string | null;
