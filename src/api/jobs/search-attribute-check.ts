/** Does the server have our search attributes? Asked once; when it has not, again after a minute, for they can be added at any time. */

const AGAIN = 60_000;

export class ServersAttributes {
  readonly #ask: () => Promise<boolean>;
  #answer: { has: Promise<boolean>; until: number } | null = null;

  constructor(ask: () => Promise<boolean>) {
    this.#ask = ask;
  }

  /** False also where nobody can tell. */
  are(): Promise<boolean> {
    if (this.#answer === null || Date.now() >= this.#answer.until) {
      const has = this.#ask().catch(() => {
        this.#answer = null;
        return false;
      });
      const answer = { has, until: Infinity };
      this.#answer = answer;
      void has.then((is) => {
        if (!is) answer.until = Date.now() + AGAIN;
      });
    }
    return this.#answer.has;
  }

  forget(): void {
    this.#answer = { has: Promise.resolve(false), until: Date.now() + AGAIN };
  }
}
