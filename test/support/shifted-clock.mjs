// Preloaded into a worker: its own clock is off by so many milliseconds (CLOCK_SHIFT), as on a machine that was never set.
const shift = Number(process.env.CLOCK_SHIFT);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...words) {
    super(...(words.length === 0 ? [RealDate.now() + shift] : words));
  }
  static now() {
    return RealDate.now() + shift;
  }
};
