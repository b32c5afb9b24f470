/** How many images of how many hosts a plan may name; large storyboards pass, floods are refused whole, with the figures. */
import { describe, expect, it } from 'vitest';
import type { ClipPrompt } from '../../../src/domain/plan/plan.schema.js';
import { problemsOf } from '../../support/checked-plans.js';

const problemsWith = (count: number, clip: (index: number) => Partial<ClipPrompt>) =>
  problemsOf({
    clip_prompts: Array.from({ length: count }, (_, clip_index) => ({
      clip_index,
      prompt: 'p',
      duration: 5,
      ...clip(clip_index),
    })),
  });

describe('a plan', () => {
  it.each<[string, (index: number) => Partial<ClipPrompt>]>([
    [
      'with a start image of its own for each clip, all on one host',
      (index) => ({ scene_reference_url: `https://a.example/${String(index)}.jpg` }),
    ],
    [
      'with 400 characters that its clips share, on the host of their 1,000 scenes',
      (index) => ({
        scene_reference_url: `https://a.example/${String(index)}.jpg`,
        character_reference_urls: [`https://a.example/who/${String(index % 400)}.jpg`],
      }),
    ],
    [
      'with a scene and a character of its own for each clip, on two hosts',
      (index) => ({
        scene_reference_url: `https://a.example/${String(index)}.jpg`,
        character_reference_urls: [`https://b.example/${String(index)}.jpg`],
      }),
    ],
  ])('of 1,000 clips %s passes', (_what, clip) => {
    expect(problemsWith(1_000, clip)).toEqual([]);
  });

  const three = (of: (name: string) => string) => (index: number) => ({
    scene_reference_url: of(`s${String(index)}`),
    character_reference_urls: [of(`a${String(index)}`), of(`b${String(index)}`)],
  });
  it.each<[string, (index: number) => Partial<ClipPrompt>]>([
    ['on one host', three((name) => `http://a.example/${name}`)],
    ['on as many hosts', three((name) => `http://${name}.example/`)],
    ['told apart by a query alone', three((name) => `http://a.example/x?${name}`)],
    [
      'on ports of one host',
      three((name) => `http://a.example:${String(1_000 + name.length)}/${name}`),
    ],
  ])('with 2,655 images %s is refused whole, with the numbers', (_what, clip) => {
    expect(problemsWith(885, clip)).toEqual([
      {
        path: 'clip_prompts',
        message: 'expected at most 2000 different reference images in a plan, got 2655',
      },
    ]);
  });

  it.each(['A.example', 'a.example:81', 'a.example:443'])(
    'with 1,501 images of one host, one of them as %s, is refused with the numbers',
    (name) => {
      const clip = (index: number) => ({
        scene_reference_url: `https://${index === 0 ? name : 'a.example'}/${String(index)}`,
        ...(index < 501
          ? { character_reference_urls: [`https://a.example/c${String(index)}`] }
          : {}),
      });
      expect(problemsWith(1_000, clip)).toEqual([
        {
          path: 'clip_prompts',
          message:
            'expected at most 1500 different reference images of one host in a plan, got 1501 of a.example',
        },
      ]);
    },
  );

  it('may repeat the same image without limit', () => {
    const clip = () => ({
      scene_reference_url: 'https://a.example/s',
      character_reference_urls: Array.from(
        { length: 6 },
        (_, index) => `https://a.example/${String(index)}`,
      ),
    });
    expect(problemsWith(1_000, clip)).toEqual([]);
  });
});
