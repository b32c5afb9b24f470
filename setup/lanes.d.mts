export const SLOW_FOLDERS: Record<string, string>;
