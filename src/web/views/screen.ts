/**
 * A clip's picture: a frame that shimmers while it is made, its thumbnail when it is there, and the
 * video itself in the same place once somebody wants to see it. Nothing is loaded before it is needed.
 */
import type { Clip } from '../../domain/job.js';
import { mediaUrl } from '../api-key.js';
import { h, icon } from '../dom.js';

type Showing = 'placeholder' | 'poster' | 'video';

export function screen(
  name: string,
  number: number,
): { element: HTMLElement; update(clip: Clip): void } {
  const element = h('div', { class: 'screen', 'data-number': number });
  let showing: Showing = 'placeholder';
  let source = '';

  const play = (video: string, poster: string | null): void => {
    showing = 'video';
    const player = h('video', {
      class: 'screen__media',
      src: video,
      poster,
      controls: true,
      loop: true,
      playsinline: true,
      preload: 'auto',
      'aria-label': name,
    });
    element.replaceChildren(player);
    player.focus();
    // Refused autoplay leaves the player with its own button, which is fine.
    player.play().catch(() => undefined);
  };

  const poster = (video: string, thumbnail: string | null): void => {
    showing = 'poster';
    const button = h(
      'button',
      { class: 'screen__play', type: 'button', 'aria-label': `Play ${name}` },
      thumbnail === null ? null : picture(thumbnail),
      h('span', { class: 'screen__badge' }, icon('play')),
    );
    button.addEventListener('click', () => {
      play(video, thumbnail);
    });
    element.replaceChildren(button);
  };

  return {
    element,
    update(clip) {
      const video = clip.status === 'succeeded' ? mediaUrl(clip.video_url) : null;
      if (video === null) {
        if (showing !== 'placeholder') element.replaceChildren();
        showing = 'placeholder';
        return;
      }
      // The running video is not taken away by an event that changes nothing about it.
      const wanted = `${video} ${clip.thumbnail_url ?? ''} ${clip.completed_at ?? ''}`;
      if (wanted === source && showing !== 'placeholder') return;
      source = wanted;
      poster(video, mediaUrl(clip.thumbnail_url));
    },
  };
}

/** A thumbnail that cannot be loaded is left out: the frame beneath it is enough. */
function picture(url: string): HTMLElement {
  const image = h('img', {
    class: 'screen__media',
    src: url,
    alt: '',
    loading: 'lazy',
    decoding: 'async',
  });
  image.addEventListener('error', () => {
    image.remove();
  });
  return image;
}
