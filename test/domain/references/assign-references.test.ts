/** Which reference image goes where, in every mode, for models with a list, with one image, and with none. */
import { describe, expect, it } from 'vitest';
import type { ModelRow } from '../../../src/domain/models/index.js';
import {
  placeReferences,
  type References,
} from '../../../src/domain/references/assign-references.js';
import type { ReferenceMode } from '../../../src/domain/plan/plan.schema.js';
import { rowOf } from '../models/rows.js';

const VEO = rowOf('google/veo-3.1');
const KLING = rowOf('kwaivgi/kling-v2.5-turbo-pro');
const BLIND: ModelRow = { ...KLING, id: 'a/blind', start_image: null };

const all: References = { scene: 's', characters: ['c1', 'c2'], objects: ['o1'] };
const place = (row: ModelRow, given: References, mode: ReferenceMode = 'auto', composites = true) =>
  placeReferences(row, given, { mode, ratio: '9:16', composites });

describe('placeReferences', () => {
  it('gives a model with a list characters, scene and objects, and names the images left out', () => {
    const placed = place(VEO, all);
    expect(placed.inputs).toEqual({ reference_images: ['c1', 'c2', 's'] });
    expect(placed.warnings).toEqual([
      'left out, because google/veo-3.1 takes no more images: object 1',
    ]);
  });

  it('gives a model with one image the only image of the clip', () => {
    expect(place(KLING, { scene: null, characters: ['c1'], objects: [] })).toEqual({
      inputs: { start_image: 'c1' },
      composite: null,
      warnings: [],
    });
  });

  it('composes a scene and characters for a model with one image, at the target ratio', () => {
    const placed = place(KLING, all);
    expect(placed.composite).toEqual({
      input: 'start_image',
      aspect_ratio: '9:16',
      scene_url: 's',
      character_urls: ['c1', 'c2'],
      object_urls: ['o1'],
    });
    expect(placed.warnings).toEqual([]);
  });

  it('composes the first six figures, characters before objects, and names the others', () => {
    const characters = ['c1', 'c2', 'c3', 'c4'];
    const placed = place(KLING, { scene: 's', characters, objects: ['o1', 'o2', 'o3'] });
    expect(placed.composite).toMatchObject({
      character_urls: characters,
      object_urls: ['o1', 'o2'],
    });
    expect(placed.warnings).toEqual([
      'left out, because a composite shows at most 6 figures: object 3',
    ]);
  });

  it('takes the scene alone when composites cannot be built, with a warning', () => {
    const placed = place(KLING, all, 'auto', false);
    expect(placed.inputs).toEqual({ start_image: 's' });
    expect(placed.composite).toBeNull();
    expect(placed.warnings[0]).toMatch(/character 1, character 2, object 1$/);
  });

  it.each([
    ['scene', { start_image: 's' }],
    ['character', { start_image: 'c1' }],
    ['native', { start_image: 'c1' }],
  ] as const)('mode %s chooses the one image', (mode, inputs) => {
    const placed = place(KLING, all, mode);
    expect(placed.inputs).toEqual(inputs);
    expect(placed.warnings).toHaveLength(1);
  });

  it('uses the start image in mode scene even where the model has a list', () => {
    expect(place(VEO, all, 'scene').inputs).toEqual({ image: 's' });
    expect(place(VEO, all, 'composite').composite).toMatchObject({ input: 'image' });
  });

  it('names every image left out for a model that takes none', () => {
    const placed = place(BLIND, all);
    expect(placed.inputs).toEqual({});
    expect(placed.warnings[0]).toContain('scene, character 1, character 2, object 1');
  });

  it('warns when the clip has no image of the chosen kind', () => {
    const placed = place(KLING, { scene: 's', characters: [], objects: [] }, 'character');
    expect(placed.inputs).toEqual({});
    expect(placed.warnings).toHaveLength(1);
  });

  it('does nothing for a clip without references', () => {
    expect(place(VEO, { scene: null, characters: [], objects: [] })).toEqual({
      inputs: {},
      composite: null,
      warnings: [],
    });
  });
});
