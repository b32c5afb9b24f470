/** What the simulator was asked, as figures that tests compare with the truth. Counted since its start. */

export interface Figures {
  create_requests: number;
  reads: Record<string, number>;
  rejected: Record<string, number>;
  downloads: number;
  authorization_on_files: number;
  downloads_elsewhere: number;
  authorization_elsewhere: number;
  unknown_faults: string[];
}

export class Counters implements Omit<Figures, 'reads' | 'rejected'> {
  #reads: Record<string, number> = {};
  #rejected: Record<string, number> = {};
  /** POSTs that wanted a prediction, accepted or not. */
  create_requests = 0;
  /** Downloads from the file host; and those among them that carried credentials. */
  downloads = 0;
  authorization_on_files = 0;
  /** Requests to the place that `redirect-file` sends clients to, and those that carried credentials. */
  downloads_elsewhere = 0;
  authorization_elsewhere = 0;
  unknown_faults: string[] = [];

  read(route: string): void {
    this.#reads[route] = (this.#reads[route] ?? 0) + 1;
  }

  reject(status: number): void {
    this.#rejected[status] = (this.#rejected[status] ?? 0) + 1;
  }

  noteUnknownFaults(tags: readonly string[]): void {
    this.unknown_faults = [...new Set([...this.unknown_faults, ...tags])].slice(-100);
  }

  reset(): void {
    this.#reads = {};
    this.#rejected = {};
    this.create_requests = 0;
    this.downloads = 0;
    this.authorization_on_files = 0;
    this.downloads_elsewhere = 0;
    this.authorization_elsewhere = 0;
    this.unknown_faults = [];
  }

  view(): Figures {
    return {
      create_requests: this.create_requests,
      reads: { ...this.#reads },
      rejected: { ...this.#rejected },
      downloads: this.downloads,
      authorization_on_files: this.authorization_on_files,
      downloads_elsewhere: this.downloads_elsewhere,
      authorization_elsewhere: this.authorization_elsewhere,
      unknown_faults: this.unknown_faults,
    };
  }
}
