/**
 * The image that a clip's references were made into, small next to its prompt, whole behind a link. Clips without one ask
 * for nothing; one that was not made after all (the clip went on without images) shows nothing.
 */
import type { Clip } from '../../domain/job/job.schema.js';
import { mediaUrl } from '../api-key.js';
import { h, show } from '../dom.js';
import { keepLink } from '../links.js';
import { loadInView } from '../picture.js';

export function referencePicture(name: string): {
  element: HTMLElement;
  update(clip: Clip): void;
} {
  const element = h('a', {
    class: 'clip__reference',
    target: '_blank',
    rel: 'noopener',
    title: 'The reference that this clip starts from',
  });
  show(element, false);
  let shown: string | null = null;
  return {
    element,
    update(clip) {
      // Before its first start it is not built.
      const url = clip.started_at === null ? null : mediaUrl(clip.composite_url ?? null);
      if (url === shown) return;
      shown = url;
      show(element, url !== null);
      keepLink(element, url);
      element.replaceChildren(...(url === null ? [] : [picture(url)]));
    },
  };

  function picture(url: string): HTMLElement {
    const image = h('img', {
      alt: `Reference of ${name}`,
      loading: 'lazy',
      decoding: 'async',
    });
    loadInView(image, url, () => {
      show(element, false);
    });
    return image;
  }
}
