/** Waits for the lock and resolves to the function that releases it. */
export function lock(file: string, command: string): Promise<() => void>;
