/** Waits for the lock and resolves to the function that releases it. */
export function lockSetup(file: string, command: string): Promise<() => void>;
