/**
 * A clip's picture: a frame that shimmers while it is made, its thumbnail when it is there, and the
 * video itself in the same place once a person wants to see it. Nothing is loaded before it is needed.
 */
import type { Clip } from '../../domain/job/job.schema.js';
import { errorMessage } from '../../domain/values/error-message.js';
import { tell } from '../announce.js';
import { mediaUrl } from '../api-key.js';
import { busy, h, icon } from '../dom.js';
import { loadInView } from '../picture.js';
import { collect } from '../save-file.js';
import { videoBytes } from '../video-bytes.js';

type Showing = 'placeholder' | 'poster' | 'video';

export function screen(
  name: string,
  number: number,
): { element: HTMLElement; update(clip: Clip): void; close: () => void } {
  const element = h('div', { class: 'screen', 'data-number': number });
  let showing: Showing = 'placeholder';
  let source = '';
  let playing = '';
  let loading: AbortController | null = null;

  const play = (video: string): void => {
    showing = 'video';
    const player = h('video', {
      class: 'screen__media',
      src: video,
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
      void busy(button, load(video, button));
    });
    element.replaceChildren(button);
  };

  /** As a whole: a player that loads by itself holds a connection for as long as it is there. */
  const load = async (url: string, button: HTMLElement): Promise<void> => {
    loading?.abort();
    const mine = (loading = new AbortController());
    try {
      const bytes = videoBytes({ name, url, size: null }, mine.signal);
      const blob = await collect(bytes, 'video/mp4', mine.signal);
      if (!button.isConnected) return;
      URL.revokeObjectURL(playing);
      playing = URL.createObjectURL(blob);
      play(playing);
    } catch (error) {
      if (!mine.signal.aborted) tell(errorMessage(error), 'bad');
    } finally {
      mine.abort();
    }
  };

  return {
    element,
    close() {
      loading?.abort();
      URL.revokeObjectURL(playing);
    },
    update(clip) {
      const video = clip.status === 'succeeded' ? mediaUrl(clip.video_url) : null;
      if (video === null) {
        loading?.abort();
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
    alt: '',
    loading: 'lazy',
    decoding: 'async',
  });
  loadInView(image, url, () => {
    image.remove();
  });
  return image;
}
