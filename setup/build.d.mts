/** Of files and folders: names and contents. */
export function fingerprint(places: readonly string[]): string;

/** What the compiler leaves out of the compiled page in `folder`: documents, styles, packages. */
export function copyPage(folder: string): void;
