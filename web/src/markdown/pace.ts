// When to draw: once per frame at most, with rests after dear drawings, and also in a hidden tab.

const REST = 3; // times the cost of the last drawing, so that the page keeps most of its time
const LONGEST_REST_MS = 500;
const FRAME_MISSING_MS = 1000; // a hidden tab has no frames; its timers run once a second

export class Pace {
  readonly #work: () => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame: number | undefined;
  #notBefore = 0;

  /** `work` draws, and says whether something is left for the next frame. */
  constructor(work: () => boolean) {
    this.#work = work;
  }

  /** Draw soon. Asking twice draws once. */
  request(): void {
    if (this.#timer !== undefined) return;
    const rest = this.#notBefore - performance.now();
    if (rest > 0) this.#timer = setTimeout(() => this.#atNextFrame(), rest);
    else this.#atNextFrame();
  }

  cancel(): void {
    clearTimeout(this.#timer);
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#timer = this.#frame = undefined;
  }

  #atNextFrame(): void {
    this.#frame = requestAnimationFrame(() => this.#run());
    this.#timer = setTimeout(() => this.#run(), FRAME_MISSING_MS);
  }

  #run(): void {
    this.cancel();
    const start = performance.now();
    const more = this.#work();
    const now = performance.now();
    this.#notBefore = more ? now : now + Math.min(REST * (now - start), LONGEST_REST_MS);
    if (more) this.request();
  }
}
