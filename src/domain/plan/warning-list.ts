/** Groups equal warnings: a thousand clips must not give a thousand equal lines. Pure. */

const MAX_NAMED = 5;

export class WarningList {
  readonly #clips: number;
  readonly #places = new Map<string, number[]>();

  /** `clips`: number of clips in the plan. */
  constructor(clips: number) {
    this.#clips = clips;
  }

  add(clipIndex: number, messages: readonly string[]): void {
    for (const message of new Set(messages)) {
      const places = this.#places.get(message) ?? [];
      places.push(clipIndex);
      this.#places.set(message, places);
    }
  }

  lines(): string[] {
    return [...this.#places].map(([message, places]) => `${this.#named(places)}: ${message}`);
  }

  #named(places: readonly number[]): string {
    if (places.length === 1) return `clip ${String(places[0])}`;
    if (places.length === this.#clips) return `all ${String(places.length)} clips`;
    const more = places.length - MAX_NAMED;
    const names = places.slice(0, MAX_NAMED).join(', ');
    return more > 0 ? `clips ${names} and ${String(more)} more` : `clips ${names}`;
  }
}
