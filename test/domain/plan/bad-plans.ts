/** Plans with one mistake each, the place of the mistake, and the words it is refused with. */

export const clip = (clip_index: number, more: object = {}) => ({
  clip_index,
  prompt: `clip ${String(clip_index)}`,
  duration: 5,
  ...more,
});
export const plan = (more: object = {}, ...clips: unknown[]) => ({
  clip_prompts: clips.length > 0 ? clips : [clip(0), clip(1), clip(2)],
  ...more,
});
export const IMAGE = 'https://example.com/a.jpg';

export type Case = [name: string, value: unknown, path: string, message: RegExp];

/** A list in a list, so many times. */
const nested = (levels: number): unknown =>
  JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

export const SHAPE: Case[] = [
  [
    'lists in lists, deeper than a stack',
    plan({}, clip(0, { metadata: { deep: nested(50_000) } })),
    '',
    /lists and objects at most 64 deep, got more/,
  ],
  ['text instead of a plan', 'hello', '', /expected a plan \(an object\), got "hello"/],
  ['a list instead of a plan', [], '', /got a list of 0/],
  ['null', null, '', /got null/],
  ['no clips', {}, 'clip_prompts', /expected a list, got nothing/],
  ['an empty plan', { clip_prompts: [] }, 'clip_prompts', /at least 1 entry, got 0/],
  [
    '1,001 clips',
    { clip_prompts: Array.from({ length: 1001 }, (_, i) => clip(i)) },
    'clip_prompts',
    /at most 1000 entries, got 1001/,
  ],
  [
    'a misspelt field',
    plan({ aspect_ration: '16:9' }),
    'aspect_ration',
    /did you mean "aspect_ratio"/,
  ],
  [
    'a label that is no text',
    plan({ labels: ['winter', 7] }),
    'labels.1',
    /expected a text, got 7/,
  ],
  ['an empty label', plan({ labels: [''] }), 'labels.0', /at least 1 character, got 0/],
  [
    'a label of 51 characters',
    plan({ labels: ['x'.repeat(51)] }),
    'labels.0',
    /at most 50 characters, got 51/,
  ],
  [
    'eleven labels',
    plan({ labels: Array.from({ length: 11 }, (_, place) => String(place)) }),
    'labels',
    /at most 10 entries, got 11/,
  ],
  [
    'a label twice',
    plan({ labels: ['a', 'b', 'a'] }),
    'labels.2',
    /expected a label used once, got a as in labels\.0/,
  ],
  ['an unknown field', plan({ zebra: 1 }), 'zebra', /expected a field of a plan, got "zebra"$/],
  [
    'a misspelt clip field',
    plan({}, clip(0, { promt: 'x' })),
    'clip_prompts.0.promt',
    /did you mean "prompt"/,
  ],
  [
    'a duration of 0',
    plan({}, clip(0, { duration: 0 })),
    'clip_prompts.0.duration',
    /above 0, got 0/,
  ],
  [
    'a duration of −1',
    plan({}, clip(0, { duration: -1 })),
    'clip_prompts.0.duration',
    /above 0, got -1/,
  ],
  [
    'a duration of NaN',
    plan({}, clip(0, { duration: NaN })),
    'clip_prompts.0.duration',
    /expected a number, got NaN/,
  ],
  [
    'an infinite duration',
    plan({}, clip(0, { duration: Infinity })),
    'clip_prompts.0.duration',
    /got Infinity/,
  ],
  [
    'a duration of 1e9',
    plan({}, clip(0, { duration: 1e9 })),
    'clip_prompts.0.duration',
    /at most 60, got 1000000000/,
  ],
  [
    'a duration as text',
    plan({}, clip(0, { duration: '5' })),
    'clip_prompts.0.duration',
    /expected a number, got "5" \(a text\)/,
  ],
  [
    'no duration',
    plan({}, { clip_index: 0, prompt: 'x' }),
    'clip_prompts.0.duration',
    /expected a number, got nothing/,
  ],
  [
    'a prompt of 100 kB',
    plan({}, clip(0, { prompt: 'x'.repeat(100_000) })),
    'clip_prompts.0.prompt',
    /at most 10000 characters, got 100000 characters/,
  ],
  [
    'an empty prompt',
    plan({}, clip(0, { prompt: '' })),
    'clip_prompts.0.prompt',
    /at least 1 character, got 0/,
  ],
  [
    'a missing clip_index',
    plan({}, { prompt: 'x', duration: 5 }),
    'clip_prompts.0.clip_index',
    /got nothing/,
  ],
  ['a negative clip_index', plan({}, clip(-1)), 'clip_prompts.0.clip_index', /at least 0, got -1/],
  [
    'a broken clip_index',
    plan({}, clip(0.5)),
    'clip_prompts.0.clip_index',
    /whole number, got 0.5/,
  ],
  [
    'a repeated clip_index',
    plan({}, clip(4), clip(2), clip(4)),
    'clip_prompts.2.clip_index',
    /used once, got 4 as in clip_prompts.0.clip_index/,
  ],
  [
    'a javascript: URL',
    plan({}, clip(0, { scene_reference_url: 'javascript:alert(1)' })),
    'clip_prompts.0.scene_reference_url',
    /expected an http\(s\) URL/,
  ],
  [
    'a data: URL',
    plan({}, clip(0, { character_reference_urls: ['data:image/png;base64,AA'] })),
    'clip_prompts.0.character_reference_urls.0',
    /expected an http\(s\) URL/,
  ],
  [
    'a URL with a password',
    plan({}, clip(0, { scene_reference_url: 'https://a:b@example.com/' })),
    'clip_prompts.0.scene_reference_url',
    /without a user name/,
  ],
  [
    'a wrong total_clips',
    plan({ total_clips: 4 }),
    'total_clips',
    /expected 3, the number of clip_prompts, got 4/,
  ],
  [
    'more successes than clips',
    plan({ min_successful_clips: 4 }),
    'min_successful_clips',
    /1 to 3.*got 4/,
  ],
  [
    'no success needed',
    plan({ min_successful_clips: 0 }),
    'min_successful_clips',
    /at least 1, got 0/,
  ],
  ['a buffer below 1', plan({ duration_buffer: 0.9 }), 'duration_buffer', /at least 1, got 0.9/],
  ['a buffer above 2', plan({ duration_buffer: 2.1 }), 'duration_buffer', /at most 2, got 2.1/],
  ['a short clip_timeout', plan({ clip_timeout: 9 }), 'clip_timeout', /at least 10, got 9/],
  [
    'an unknown dispatch',
    plan({ dispatch: 'all' }),
    'dispatch',
    /one of batches, window, got "all"/,
  ],
  [
    'an unknown reference mode',
    plan({ reference_mode: 'best' }),
    'reference_mode',
    /one of auto, native, composite, scene, character/,
  ],
  ['a job_id with a slash', plan({ job_id: 'a/b' }), 'job_id', /letters, digits.*got "a\/b"/],
  [
    'a nested setting',
    plan({ settings: { fps: { a: 1 } } }),
    'settings.fps',
    /a text, a number, true or false, got an object/,
  ],
  [
    'large metadata',
    plan({}, clip(0, { metadata: { a: 'x'.repeat(5000) } })),
    'clip_prompts.0.metadata',
    /at most 4096 bytes/,
  ],
  [
    'metadata as a list',
    plan({}, clip(0, { metadata: [] })),
    'clip_prompts.0.metadata',
    /expected an object/,
  ],
];
