export const BUCKET_SERVER: string;
export const CHROMIUM: string;
export const HELM: string;
export const SCHEMATHESIS_LIST: string;
export const SCHEMATHESIS_PYTHON: string;
export const TIME_SKIPPING_SERVER: string;
export function isCi(env?: NodeJS.ProcessEnv): boolean;
export function skips(tests: string, why: string, env?: NodeJS.ProcessEnv): void;
