interface Lockfile {
  packages: Record<string, { version?: string; optional?: boolean }>;
}
export function isInstalled(wanted: Lockfile | null, installed: Lockfile | null): boolean;
