/**
 * A picture that is loaded when it comes into view and it is its turn, so that a page full of them, or a server that does not
 * answer, leaves connections to everything else. One that cannot be had in time is given up; its owner says what then.
 */
import { inTurn } from './connections.js';
import { linkTo } from './links.js';

const MOST = 15_000;
const AHEAD = '300px';

export function loadInView(image: HTMLImageElement, url: string, onFailed: () => void): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      void show(image, url, onFailed);
    },
    { rootMargin: AHEAD },
  );
  observer.observe(image);
}

async function show(image: HTMLImageElement, url: string, onFailed: () => void): Promise<void> {
  await linkTo(url); // a question of its own, before the turn is taken
  await inTurn('picture', async () => {
    if (image.isConnected && !(await loaded(image, await linkTo(url)))) onFailed();
  });
}

function loaded(image: HTMLImageElement, url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (good: boolean): void => {
      clearTimeout(timer);
      if (!good) image.removeAttribute('src'); // ends the request
      resolve(good);
    };
    const timer = setTimeout(settle, MOST, false);
    image.addEventListener('load', () => {
      settle(true);
    });
    image.addEventListener('error', () => {
      settle(false);
    });
    image.src = url;
  });
}
