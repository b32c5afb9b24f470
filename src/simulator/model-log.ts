/** The log lines of a simulated model: who speaks, then a line of tqdm for every tenth that is done. Pure. */

const STEPS = 50;

export function progressLog(share: number, seconds: number): string {
  const done = Math.floor(share * STEPS);
  const lines = ['[simulator] Simulated rendering: nothing is paid.'];
  for (let step = 5; step <= done; step += 5) {
    lines.push(tqdm(step, (seconds * step) / Math.max(1, share * STEPS)));
  }
  return `${lines.join('\n')}\n`;
}

/** ` 40%|████      | 20/50 [00:24<00:36,  0.83it/s]` */
function tqdm(step: number, elapsed: number): string {
  const percent = Math.round((step / STEPS) * 100);
  const tenths = Math.floor(percent / 10);
  const bar = '█'.repeat(tenths) + ' '.repeat(10 - tenths);
  const left = (elapsed / step) * (STEPS - step);
  const rate = elapsed > 0 ? step / elapsed : 0;
  return `${String(percent).padStart(3)}%|${bar}| ${String(step)}/${String(STEPS)} [${clock(elapsed)}<${clock(left)}, ${rate.toFixed(2).padStart(5)}it/s]`;
}

const clock = (seconds: number): string => {
  const whole = Math.round(seconds);
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
};
