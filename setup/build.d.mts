/** Covers names and contents of files and folders. */
export function fingerprint(places: readonly string[]): string;

/** What the compiler leaves out of the compiled page in `folder`: documents, styles, packages. */
export function copyPage(folder: string): void;
