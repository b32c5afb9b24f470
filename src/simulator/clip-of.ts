/** The file of a prediction. */
import type { ClipFile } from './clip/clip-store.js';
import type { Core } from './core.js';
import type { PredictionRecord } from './record.js';

/** Scaled down: what a simulated clip shows does not need more, and it costs time. */
export function clipOf(core: Core, record: PredictionRecord): Promise<ClipFile> {
  const { width, height, duration, fps } = record.clip;
  const scale = Math.min(1, core.settings.clip_max_width / Math.max(width, height));
  const even = (length: number): number => Math.max(64, Math.round((length * scale) / 2) * 2);
  const { one_clip } = core.settings;
  return core.clips.get({
    caption: one_clip ? record.model : record.caption,
    seed: one_clip ? '' : `${record.input_key} ${record.id}`,
    duration,
    fps,
    width: even(width),
    height: even(height),
  });
}
