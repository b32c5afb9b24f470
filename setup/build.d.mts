/** Of files and folders: names and contents. */
export function fingerprint(places: readonly string[]): string;
