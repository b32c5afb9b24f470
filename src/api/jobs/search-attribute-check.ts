/** Does the server have our search attributes? Asked once; where they are missing again after a minute, because they can be added at any time. */

const ASK_AGAIN_MS = 60_000;

export class SearchAttributeCheck {
  readonly #ask: () => Promise<boolean>;
  #answer: { has: Promise<boolean>; until: number } | null = null;

  constructor(ask: () => Promise<boolean>) {
    this.#ask = ask;
  }

  /** False also while the server does not answer. */
  exist(): Promise<boolean> {
    if (this.#answer === null || Date.now() >= this.#answer.until) {
      const has = this.#ask().catch(() => {
        this.#answer = null;
        return false;
      });
      const answer = { has, until: Infinity };
      this.#answer = answer;
      void has.then((is) => {
        if (!is) answer.until = Date.now() + ASK_AGAIN_MS;
      });
    }
    return this.#answer.has;
  }

  markMissing(): void {
    this.#answer = { has: Promise.resolve(false), until: Date.now() + ASK_AGAIN_MS };
  }
}
