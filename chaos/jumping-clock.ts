/**
 * Imported first by a process of a chaos run: each SIGUSR2 sets its clock an hour ahead, an hour behind, or right again, as where
 * the clock of a running machine is set.
 */
const HOUR = 3_600_000;
const AHEAD = [0, HOUR, -HOUR] as const;

const RealDate = Date;
let jumps = 0;
const now = (): number => RealDate.now() + (AHEAD[jumps % AHEAD.length] ?? 0);

globalThis.Date = new Proxy(RealDate, {
  construct: (target, words, newTarget) =>
    Reflect.construct(target, words.length === 0 ? [now()] : words, newTarget) as object,
  apply: () => new Date().toString(),
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
});

process.on('SIGUSR2', () => {
  jumps += 1;
});
