// Parts of the page that are fetched once it is there, so that it is there sooner.

let missing = $state(0);

/** Whether a part could not be fetched: the server is away, or has a newer page by now. */
export function isPartMissing(): boolean {
  return missing > 0;
}

export class Part<T> {
  #now = $state.raw<T>();
  #fetching: Promise<T | undefined> | undefined;
  #isMissing = false;

  constructor(private readonly fetch: () => Promise<T>) {}

  /** What was fetched, if it is there already. */
  get now(): T | undefined {
    return this.#now;
  }

  /** Resolves when the part is there; to nothing if it cannot be had, and the next call tries anew. */
  load(): Promise<T | undefined> {
    this.#fetching ??= this.fetch().then(
      (fetched) => {
        this.#note(false);
        return (this.#now = fetched);
      },
      () => {
        this.#note(true);
        return (this.#fetching = undefined);
      },
    );
    return this.#fetching;
  }

  #note(isMissing: boolean): void {
    missing += Number(isMissing) - Number(this.#isMissing);
    this.#isMissing = isMissing;
  }
}
