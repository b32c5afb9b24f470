/**
 * Assigns reference files to inputs of the model: its list of references, its start image, or a composite that is built
 * later. Pure: it sees URLs and fetches nothing. Files that do not fit are named in a warning.
 */
import type { CompositeReference } from './composite.schema.js';
import type { ModelRow } from '../models/row.js';
import type { ClipPrompt, ReferenceMode } from '../plan/plan.schema.js';

export interface References {
  scene: string | null;
  characters: readonly string[];
  objects: readonly string[];
  /** The last frame of the clip. */
  end?: string | null;
  videos?: readonly string[];
  audios?: readonly string[];
}

/** References that are not images. */
export type MediaKind = 'video' | 'audio';

export interface PlacedReferences {
  inputs: Record<string, string | string[]>;
  /** The inputs whose files are videos or sounds; absent where there is none. */
  media?: Record<string, MediaKind>;
  composite: CompositeReference | null;
  warnings: string[];
}

interface Named {
  kind: string;
  url: string;
}

export const referencesOf = (clip: ClipPrompt): References => ({
  scene: clip.scene_reference_url ?? null,
  characters: clip.character_reference_urls ?? [],
  objects: clip.object_reference_urls ?? [],
  end: clip.end_image_url ?? null,
  videos: clip.reference_video_urls ?? [],
  audios: clip.reference_audio_urls ?? [],
});

const sceneOf = ({ scene }: References): Named[] =>
  scene === null ? [] : [{ kind: 'scene', url: scene }];
const charactersOf = ({ characters }: References): Named[] =>
  characters.map((url, index) => ({ kind: `character ${String(index + 1)}`, url }));
const objectsOf = ({ objects }: References): Named[] =>
  objects.map((url, index) => ({ kind: `object ${String(index + 1)}`, url }));

/** Order in a list of references: characters matter most. */
const natively = (given: References): Named[] => [
  ...charactersOf(given),
  ...sceneOf(given),
  ...objectsOf(given),
];
/** Order for the one start image: the scene is the better first frame. */
const asStart = (given: References): Named[] => [
  ...sceneOf(given),
  ...charactersOf(given),
  ...objectsOf(given),
];

/** Placed images, without videos and sounds. */
type PlacedImages = Omit<PlacedReferences, 'media'>;

const nothing = (warnings: string[] = []): PlacedImages => ({
  inputs: {},
  composite: null,
  warnings,
});

const leftOut = (row: ModelRow, left: readonly Named[]): string[] =>
  left.length === 0
    ? []
    : [
        `left out, because ${row.id} takes no more images: ${left.map(({ kind }) => kind).join(', ')}`,
      ];

function asList(row: ModelRow, given: References): PlacedImages | null {
  if (row.references === null) return null;
  const { input, limit } = row.references;
  const all = natively(given);
  const urls = all.slice(0, limit).map(({ url }) => url);
  return { inputs: { [input]: urls }, composite: null, warnings: leftOut(row, all.slice(limit)) };
}

function asOne(row: ModelRow, ordered: readonly Named[], given: References): PlacedImages {
  const [first] = ordered;
  if (first === undefined) return nothing(leftOut(row, natively(given)));
  if (row.start_image === null) {
    return asList(row, given) ?? nothing(leftOut(row, ordered));
  }
  const others = natively(given).filter(
    ({ url, kind }) => url !== first.url || kind !== first.kind,
  );
  return {
    inputs: startImage(row, row.start_image, first.url),
    composite: null,
    warnings: leftOut(row, others),
  };
}

const isList = (row: ModelRow, input: string): boolean => row.inputs[input]?.type === 'uris';

const startImage = (row: ModelRow, input: string, url: string): PlacedImages['inputs'] => ({
  [input]: isList(row, input) ? [url] : url,
});

/** Does the clip have a start image? A list input with one file is a start image, with several files references. */
export function hasStartImage(row: ModelRow, inputs: Readonly<Record<string, unknown>>): boolean {
  const given = row.start_image === null ? undefined : inputs[row.start_image];
  return Array.isArray(given) ? given.length === 1 : given !== undefined;
}

/** More figures would be too small to recognise. */
const MAX_FIGURES = 6;

/** Needs a scene and at least one character or object. */
function asComposite(row: ModelRow, given: References, ratio: string): PlacedImages | null {
  const { scene } = given;
  if (row.start_image === null || scene === null) return null;
  const figures = [...charactersOf(given), ...objectsOf(given)];
  if (figures.length === 0) return null;
  const characters = given.characters.slice(0, MAX_FIGURES);
  const objects = given.objects.slice(0, MAX_FIGURES - characters.length);
  const left = figures.slice(MAX_FIGURES).map(({ kind }) => kind);
  const composite: CompositeReference = {
    input: row.start_image,
    ...(isList(row, row.start_image) ? { as_list: true } : {}),
    aspect_ratio: ratio,
    scene_url: scene,
    character_urls: characters,
    object_urls: objects,
  };
  const warnings =
    left.length === 0
      ? []
      : [
          `left out, because a composite shows at most ${String(MAX_FIGURES)} figures: ${left.join(', ')}`,
        ];
  return { inputs: startImage(row, row.start_image, scene), composite, warnings };
}

interface Placement {
  mode: ReferenceMode;
  ratio: string;
  /** Can composites be built? If not, the start image is the scene alone. */
  composites: boolean;
}

/** Places all files of a clip. */
export function placeReferences(
  row: ModelRow,
  given: References,
  placement: Placement,
): PlacedReferences {
  const { inputs, composite, warnings } = placeImages(row, given, placement);
  const end = placeEnd(row, given);
  const videos = placeMedia(row, 'video', given.videos ?? []);
  const audios = placeMedia(row, 'audio', given.audios ?? []);
  const media = { ...videos.media, ...audios.media };
  return {
    inputs: { ...inputs, ...end.inputs, ...videos.inputs, ...audios.inputs },
    ...(Object.keys(media).length === 0 ? {} : { media }),
    composite,
    warnings: [...warnings, ...end.warnings, ...videos.warnings, ...audios.warnings],
  };
}

type Placed = Omit<PlacedReferences, 'composite'>;

function placeEnd(row: ModelRow, { end = null }: References): Placed {
  if (end === null) return { inputs: {}, warnings: [] };
  return row.end_image === null
    ? { inputs: {}, warnings: [`left out, because ${row.id} takes no end image`] }
    : { inputs: { [row.end_image]: end }, warnings: [] };
}

const MEDIA = {
  video: { role: 'reference_videos', words: 'reference videos' },
  audio: { role: 'reference_audios', words: 'reference sounds' },
} as const;

function placeMedia(row: ModelRow, kind: MediaKind, urls: readonly string[]): Placed {
  const { role, words } = MEDIA[kind];
  const taken = row[role];
  const left = urls.length - (taken?.limit ?? 0);
  const more = taken === undefined ? 'no' : 'no more';
  const leftOut = `left out, because ${row.id} takes ${more} ${words}: ${String(left)} of them`;
  const warnings = left > 0 ? [leftOut] : [];
  const [first] = urls;
  if (taken === undefined || first === undefined) return { inputs: {}, warnings };
  const { input, limit } = taken;
  const value = isList(row, input) ? urls.slice(0, limit) : first;
  return { inputs: { [input]: value }, media: { [input]: kind }, warnings };
}

/** Places the images of a clip. Each mode is defined by the order of its attempts. */
function placeImages(
  row: ModelRow,
  given: References,
  { mode, ratio, composites }: Placement,
): PlacedImages {
  if (natively(given).length === 0) return nothing();
  const composite = () => (composites ? asComposite(row, given, ratio) : null);
  const one = () => asOne(row, asStart(given), given);
  switch (mode) {
    case 'auto': {
      // A clip with an end image also needs a start image.
      const isFramed = (given.end ?? null) !== null && row.end_image !== null;
      return (isFramed ? null : asList(row, given)) ?? composite() ?? one();
    }
    case 'native':
      return asList(row, given) ?? asOne(row, natively(given), given);
    case 'composite':
      return composite() ?? one();
    case 'scene':
      return asOne(row, sceneOf(given), given);
    case 'character':
      return asOne(row, charactersOf(given), given);
  }
}
