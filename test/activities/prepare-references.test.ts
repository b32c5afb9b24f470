/** What the activity asks of the world, and how little it answers, for a job of any size. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, it } from 'vitest';
import type { Deps } from '../../src/activities/deps.js';
import { createPrepareReferences } from '../../src/activities/prepare-references.js';
import type { References, Uploaded } from '../../src/adapters/references/reference-images.js';
import type {
  PrepareReferencesInput,
  PrepareReferencesResult,
} from '../../src/contract/activities.js';
import type { ClipReferences, MediaFile } from '../../src/domain/references/clip-references.js';
import type { CompositeReference } from '../../src/domain/references/composite.schema.js';
import { jsonBytes } from '../../src/domain/job/payload-size.js';

/** A world in which URLs with "bad" in them are bad. */
class FakeReferences implements References {
  readonly checked: string[] = [];
  readonly kept: string[] = [];
  readonly uploaded: CompositeReference[] = [];
  readonly built = new Set<string>();
  upload_outcome: Uploaded = { type: 'uploaded', url: 'https://a/file', renew_at: 'later' };
  readonly assigned: number[] = [];
  assign_failure: Error | null = null;
  tidied = 0;

  check(url: string, { keep }: { keep: boolean }): Promise<string | null> {
    this.checked.push(url);
    if (keep) this.kept.push(url);
    return Promise.resolve(url.includes('bad') ? 'expected an image, got none' : null);
  }
  checkMedia({ kind, url }: MediaFile): Promise<string | null> {
    this.checked.push(`${kind} ${url}`);
    return Promise.resolve(url.includes('bad') ? `expected ${kind}, got none` : null);
  }
  isBuilt({ scene_url }: CompositeReference): Promise<boolean> {
    return Promise.resolve(this.built.has(scene_url));
  }
  upload(composite: CompositeReference): Promise<Uploaded> {
    this.uploaded.push(composite);
    return Promise.resolve(this.upload_outcome);
  }
  assign(_composite: CompositeReference, clipIndex: number): Promise<void> {
    if (this.assign_failure !== null) return Promise.reject(this.assign_failure);
    this.assigned.push(clipIndex);
    return Promise.resolve();
  }
  tidy(): Promise<void> {
    this.tidied += 1;
    return Promise.resolve();
  }
}

function prepare(
  references: References,
  clips: ClipReferences[],
): Promise<PrepareReferencesResult> {
  const world = { references: () => references } as unknown as Deps;
  return new MockActivityEnvironment().run<
    [PrepareReferencesInput],
    PrepareReferencesResult,
    ReturnType<typeof createPrepareReferences>
  >(createPrepareReferences(world), { clips });
}

const set = (scene_url: string, ...character_urls: string[]): CompositeReference => ({
  input: 'start_image',
  aspect_ratio: '16:9',
  scene_url,
  character_urls,
  object_urls: [],
});

describe('prepareReferences', () => {
  it('looks at each video and sound once, as what it is sent as', async () => {
    const references = new FakeReferences();
    const result = await prepare(references, [
      { clip_index: 0, urls: ['a'], media: [{ kind: 'video', url: 'a' }] },
      { clip_index: 1, urls: [], media: [{ kind: 'video', url: 'a' }] },
      { clip_index: 2, urls: ['a'], media: [{ kind: 'audio', url: 'bad' }] },
    ]);
    expect(references.checked.toSorted()).toEqual(['a', 'audio bad', 'video a']);
    expect(references.kept).toEqual([]);
    expect(result.refused).toMatchObject([
      {
        clip_index: 2,
        error: { kind: 'invalid_reference', message: 'bad: expected audio, got none' },
      },
    ]);
  });

  it('looks at each URL once, keeps what is composed, and tidies up', async () => {
    const references = new FakeReferences();
    const result = await prepare(references, [
      { clip_index: 0, urls: ['a', 'b'] },
      { clip_index: 1, urls: ['a'], composite: set('s', 'b') },
      { clip_index: 2, urls: [], composite: set('s', 'b', 'bad') },
    ]);
    expect(references.checked.toSorted()).toEqual(['a', 'b', 'bad', 's']);
    expect(references.kept.toSorted()).toEqual(['b', 'bad', 's']);
    expect(references.uploaded).toEqual([set('s', 'b')]);
    expect(references.assigned).toEqual([1]);
    expect(references.tidied).toBe(1);
    expect(result).toEqual({
      refused: [
        {
          clip_index: 2,
          error: {
            kind: 'invalid_reference',
            message: 'bad: expected an image, got none',
            retryable: false,
          },
        },
      ],
      uploads: [{ clip_index: 1, url: 'https://a/file', renew_at: 'later' }],
    });
  });

  it('tidies up also when the disk fails it, and tells that failure', async () => {
    const references = new FakeReferences();
    references.check = () => Promise.reject(new Error('no space left on device'));
    const failed = prepare(references, [{ clip_index: 0, urls: ['a'] }]);
    await expect(failed).rejects.toThrow('no space left on device');
    expect(references.tidied).toBe(1);
  });

  it('refuses the clip whose images cannot be composed, and prepares the others', async () => {
    const references = new FakeReferences();
    const message = 'b: expected an image that can be composed';
    references.upload = ({ scene_url }) =>
      Promise.resolve(
        scene_url === 'b'
          ? { type: 'failed', kind: 'invalid_reference', message }
          : { type: 'uploaded', url: 'https://a/file', renew_at: 'later' },
      );
    const result = await prepare(references, [
      { clip_index: 0, urls: [], composite: set('b', 'c') },
      { clip_index: 1, urls: [], composite: set('a', 'c') },
    ]);
    expect(result.refused).toEqual([
      { clip_index: 0, error: { kind: 'invalid_reference', message, retryable: false } },
    ]);
    expect(result.uploads).toMatchObject([{ clip_index: 1 }]);
  });

  it('does not look again at the parts of a composite that is built', async () => {
    const references = new FakeReferences();
    references.built.add('s');
    const result = await prepare(references, [
      { clip_index: 4, urls: [], composite: set('s', 'bad') },
    ]);
    expect(references.checked).toEqual([]);
    expect(result.uploads).toHaveLength(1);
  });

  it('prepares a clip whose composite cannot be shown', async () => {
    const references = new FakeReferences();
    references.assign_failure = new Error('no space left on device');
    const result = await prepare(references, [{ clip_index: 4, urls: [], composite: set('s') }]);
    expect(result).toMatchObject({ refused: [], uploads: [{ clip_index: 4 }] });
  });

  it('says why an upload was refused, as what it is', async () => {
    const references = new FakeReferences();
    references.upload_outcome = { type: 'failed', kind: 'unauthorized', message: 'HTTP 401' };
    const result = await prepare(references, [
      { clip_index: 4, urls: [], composite: set('s', 'c') },
    ]);
    expect(result.refused[0]?.error).toMatchObject({ kind: 'unauthorized' });
  });

  it('answers for a thousand clips whose images are all bad in a fraction of a payload', async () => {
    const clips = Array.from({ length: 1000 }, (_, clip_index) => ({
      clip_index,
      urls: [`https://bad.example/${String(clip_index)}/${'x'.repeat(900)}.jpg`],
    }));
    const result = await prepare(new FakeReferences(), clips);
    expect(result.refused).toHaveLength(1000);
    expect(jsonBytes(result)).toBeLessThan(400_000);
  });
});
