export function findServerProgram(name: 'temporal-server' | 'temporal-sql-tool'): string | null;
export const serverPrograms: { needed(): boolean; make(): Promise<void> };
