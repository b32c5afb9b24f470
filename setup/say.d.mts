export class SetupError extends Error {
  readonly code: 1 | 2;
}
