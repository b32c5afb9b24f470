/**
 * The few DOM verbs the views are made of. Data becomes text and attributes only, never markup.
 * Setters write only what changed, so that a fold a second costs no layout.
 */

type Value = string | number | boolean | null | undefined;
type Handler = (event: Event) => void;
export type Child = Node | string | null;

/** An element: properties are attributes, `on…` are listeners, `text` is its text. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Record<string, Value | Handler> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (name === 'text') element.textContent = String(value ?? '');
    else attribute(element, name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function attribute(element: Element, name: string, value: Value): void {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else {
    const written = value === true ? '' : String(value);
    if (element.getAttribute(name) !== written) element.setAttribute(name, written);
  }
}

export function setText(element: Element, value: string): void {
  if (element.textContent !== value) element.textContent = value;
}

export function show(element: HTMLElement, visible: boolean): void {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Disabled while it works, so that nothing is asked twice. */
export async function busy(button: HTMLButtonElement, work: Promise<void>): Promise<void> {
  attribute(button, 'aria-busy', 'true');
  button.disabled = true;
  try {
    await work;
  } finally {
    attribute(button, 'aria-busy', null);
    button.disabled = false;
  }
}

/** A figure with its name, as a pair of a description list. `set` shows a new figure. */
export function figure(name: string): {
  element: HTMLElement;
  set(value: string, note?: string): void;
} {
  const value = h('dd');
  const element = h('div', { class: 'figure' }, h('dt', { text: name }), value);
  const note = h('span', { class: 'figure__note' });
  const main = h('span', { class: 'figure__value' });
  value.append(main, note);
  return {
    element,
    set(text, noteText = '') {
      setText(main, text);
      setText(note, noteText);
      show(note, noteText !== '');
    },
  };
}

const DRAWINGS = {
  play: 'M8 5.5v13a.8.8 0 0 0 1.2.7l10.3-6.5a.8.8 0 0 0 0-1.4L9.2 4.8A.8.8 0 0 0 8 5.5z',
  open: 'M14 4h6v6h-2V7.4l-7.3 7.3-1.4-1.4L16.6 6H14zM5 6h6v2H6v10h10v-5h2v6a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V7a1 1 0 0 1 1-1z',
  save: 'M11 4h2v8.2l2.8-2.8 1.4 1.4L12 16l-5.2-5.2 1.4-1.4 2.8 2.8zM5 18h14v2H5z',
} as const;

export function icon(name: keyof typeof DRAWINGS): SVGElement {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  const path = document.createElementNS(space, 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', DRAWINGS[name]);
  svg.append(path);
  return svg;
}

/** Children in the order of the items, one element a key, kept while the key stays. */
export function keyed<T>(
  parent: Element,
  key: (item: T) => string | number,
  create: (item: T) => { element: Element; update(item: T): void },
): (items: readonly T[]) => void {
  const views = new Map<string | number, { element: Element; update(item: T): void }>();
  return (items) => {
    const wanted = new Set(items.map(key));
    for (const [name, view] of views) {
      if (wanted.has(name)) continue;
      view.element.remove();
      views.delete(name);
    }
    items.forEach((item, index) => {
      const view = views.get(key(item)) ?? create(item);
      views.set(key(item), view);
      if (parent.children[index] !== view.element) {
        parent.insertBefore(view.element, parent.children[index] ?? null);
      }
      view.update(item);
    });
  };
}
