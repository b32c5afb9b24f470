/** Plans of the right shape that their model cannot carry out. */
import { clip, IMAGE, plan, type Case } from './bad-plans.js';

export const MODEL: Case[] = [
  [
    'an unknown model',
    plan({ model: 'kling' }),
    'model',
    /expected one of .*kwaivgi\/kling-v2.1.*got "kling"/,
  ],
  ['a misspelt model', plan({ model: 'google/veo3.1' }), 'model', /did you mean "google\/veo-3.1"/],
  [
    'a ratio the model lacks',
    plan({ aspect_ratio: '21:9' }),
    'aspect_ratio',
    /one of 16:9, 9:16, 1:1 with kwaivgi\/kling-v2.5-turbo-pro, got "21:9"/,
  ],
  [
    'a resolution the model lacks',
    plan({ settings: { resolution: '1024x576' } }),
    'settings.resolution',
    /1080p.*got "1024x576"/,
  ],
  [
    'a resolution Veo lacks',
    plan({ model: 'google/veo-3.1', settings: { resolution: '4k' } }),
    'settings.resolution',
    /one of "720p", "1080p"/,
  ],
  [
    'steps the model lacks',
    plan({ settings: { steps: 25 } }),
    'settings.steps',
    /expected a setting of .*got "steps"/,
  ],
  [
    'motion the model lacks',
    plan({ settings: { motion: 127 } }),
    'settings.motion',
    /expected a setting/,
  ],
  ['an fps the model lacks', plan({ settings: { fps: 30 } }), 'settings.fps', /24.*got 30/],
  [
    'motion out of bounds',
    plan(
      { model: 'stability-ai/stable-video-diffusion', settings: { motion: 256 } },
      clip(0, { scene_reference_url: IMAGE }),
    ),
    'settings.motion',
    /whole number from 1 to 255/,
  ],
  [
    'a prompt as a setting',
    plan({ settings: { prompt: 'x' } }),
    'settings.prompt',
    /expected a setting/,
  ],
  [
    'a prototype name as a setting',
    plan({ settings: { constructor: 1 } }),
    'settings.constructor',
    /expected a setting/,
  ],
  [
    'a missing start image',
    plan({ model: 'kwaivgi/kling-v2.1' }, clip(0)),
    'clip_prompts.0.scene_reference_url',
    /expected an image, because kwaivgi\/kling-v2.1 needs one \(start_image\)/,
  ],
  [
    'references in 9:16 on Veo',
    plan(
      { model: 'google/veo-3.1', aspect_ratio: '9:16' },
      clip(0, { character_reference_urls: [IMAGE] }),
    ),
    'clip_prompts.0',
    /reference images need 8 s and 16:9.*"9:16"/,
  ],
  [
    'references in 1080p on Seedance Lite',
    plan(
      { model: 'bytedance/seedance-1-lite', settings: { resolution: '1080p' } },
      clip(0, { scene_reference_url: IMAGE }),
    ),
    'clip_prompts.0',
    /480p or 720p/,
  ],
  [
    'a prompt the model finds long',
    plan({ model: 'kwaivgi/kling-v3-video' }, clip(0, { prompt: 'x'.repeat(2501) })),
    'clip_prompts.0.prompt',
    /at most 2500 characters with kwaivgi\/kling-v3-video/,
  ],
  [
    'a seed above what the model takes',
    plan({ model: 'alibaba/wan-3' }, clip(0, { seed: 2_147_483_648 })),
    'clip_prompts.0.seed',
    /whole number from 0 to 2147483647 with alibaba\/wan-3, got 2147483648/,
  ],
  [
    'something whose price is not known',
    plan({ model: 'luma/ray-3.2', settings: { hdr: true } }, clip(0)),
    'clip_prompts.0',
    /what hdr costs is not known \(luma\/ray-3.2\)/,
  ],
  [
    'a length that is left to a file',
    plan(
      { model: 'kwaivgi/kling-v3-omni-video', settings: { video_reference_type: 'base' } },
      clip(0),
    ),
    'clip_prompts.0',
    /length of a clip must not be left to a reference video/,
  ],
  [
    'no start image where one is needed by a rule',
    plan({ model: 'wan-video/wan-2.7-i2v' }, clip(0)),
    'clip_prompts.0',
    /it starts from a picture \(wan-video\/wan-2.7-i2v\), got first_frame null/,
  ],
  [
    'a negative prompt that the model finds long',
    plan({ model: 'kwaivgi/kling-v3-video' }, clip(0, { negative_prompt: 'x'.repeat(2501) })),
    'clip_prompts.0.negative_prompt',
    /at most 2500 characters/,
  ],
  [
    'a cap below one success',
    plan({ max_cost_usd: 1 }),
    'max_cost_usd',
    /at least 1.05, what the cheapest 3 of 3 clips cost, got 1$/,
  ],
];
