// Following the bottom of a growing answer, until the reader looks up.

/** What a scrolling element says about itself. */
export interface Metrics {
  readonly scrollTop: number;
  readonly scrollHeight: number;
  readonly clientHeight: number;
}

export interface ScrollState {
  readonly isFollowing: boolean;
  readonly top: number;
  readonly height: number;
  readonly room: number;
}

const NEAR = 2; // pixels: browsers round positions when the page is zoomed
const MARGIN = 24; // pixels over what is landed on
const MOVES = ['wheel', 'touchmove', 'pointerdown', 'keydown'] as const; // by the reader
const UPWARDS = new Set(['ArrowUp', 'PageUp', 'Home']);
const AWAY = 120; // pixels: from here on a way back is worth a button

export const AT_BOTTOM: ScrollState = { isFollowing: true, top: 0, height: 0, room: 0 };

const distance = (now: Metrics): number => now.scrollHeight - now.scrollTop - now.clientHeight;

const measured = (isFollowing: boolean, now: Metrics): ScrollState => ({
  isFollowing,
  top: now.scrollTop,
  height: now.scrollHeight,
  room: now.clientHeight,
});

/**
 * Returns the state after a scroll, whoever made it. Upwards lets go, however little; down to the
 * bottom takes up again. A list that became shorter, or whose room became larger, moves by itself,
 * which is nobody's wish. Nor is a scroll that ends where it began one: it tells late of our own,
 * when a wheel may have let go already.
 */
export function scrolled(state: ScrollState, now: Metrics): ScrollState {
  const isUpwards =
    now.scrollTop < state.top && now.scrollHeight >= state.height && now.clientHeight <= state.room;
  const isBack = distance(now) <= NEAR && now.scrollTop !== state.top;
  const isFollowing = !isUpwards && (isBack || state.isFollowing);
  return measured(isFollowing, now);
}

/** Says whether the reader is so far up that the bottom is out of sight. */
export function isAway(state: ScrollState, now: Metrics): boolean {
  return !state.isFollowing && distance(now) > AWAY;
}

/** Keeps an element at its bottom while `content` grows, unless the reader scrolled up. */
export class Follower {
  private state = AT_BOTTOM;
  private wasAway = false;
  private target: Element | null = null;
  private above = 0; // pixels, of the target
  private readonly sizes: ResizeObserver;

  constructor(
    private readonly element: HTMLElement,
    content: HTMLElement,
    private readonly onaway: (isAway: boolean) => void,
    /** Whether the bottom is the newest: only then is it followed. */
    private readonly isWhole = (): boolean => true,
  ) {
    element.addEventListener('scroll', this.onscroll, { passive: true });
    element.addEventListener('wheel', this.onwheel, { passive: true });
    element.addEventListener('keydown', this.onkey);
    for (const each of MOVES) element.addEventListener(each, this.letGo, { passive: true });
    this.sizes = new ResizeObserver(this.onresize);
    this.sizes.observe(content);
    this.sizes.observe(element);
  }

  /** Goes to the bottom and stays there. */
  latest(): void {
    this.letGo();
    this.state = { ...this.state, isFollowing: true };
    this.onresize();
  }

  /** Returns how far below the top a child is, in pixels. */
  distanceTo(target: Element): number {
    return target.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
  }

  /**
   * Shows a child so many pixels below the top, and keeps it there until the reader moves: what is
   * above may grow.
   */
  land(target: Element, above = MARGIN): void {
    this.target = target;
    this.above = above;
    this.become({ ...this.state, isFollowing: false });
    this.onresize();
  }

  /** Has a child in sight: where it is, or from its top on where that is above. It is followed no more. */
  show(target: Element): void {
    this.land(target, Math.max(MARGIN, this.distanceTo(target)));
  }

  /** Keeps a child where it is on the screen while more comes above it, until the reader moves. */
  hold(target: Element): void {
    this.target = target;
    this.above = this.distanceTo(target);
  }

  destroy(): void {
    this.sizes.disconnect();
    for (const each of MOVES) this.element.removeEventListener(each, this.letGo);
    this.element.removeEventListener('scroll', this.onscroll);
    this.element.removeEventListener('wheel', this.onwheel);
    this.element.removeEventListener('keydown', this.onkey);
  }

  private readonly letGo = (): void => {
    this.target = null;
  };

  private readonly onscroll = (): void => {
    const state = scrolled(this.state, this.element);
    this.become({ ...state, isFollowing: state.isFollowing && this.isWhole() });
  };

  // A wheel or a key speaks before the scroll it causes: text that comes in between must not win.
  private readonly onwheel = (event: WheelEvent): void => {
    if (event.deltaY < 0) this.goUp();
  };

  private readonly onkey = (event: KeyboardEvent): void => {
    if (UPWARDS.has(event.key) && event.target === this.element) this.goUp();
  };

  private goUp(): void {
    if (this.element.scrollTop > 0) this.become({ ...this.state, isFollowing: false });
  }

  private readonly onresize = (): void => {
    const { element } = this;
    if (this.target !== null) {
      // Not scrollIntoView, which moves all that is around this element, too.
      element.scrollTop += this.distanceTo(this.target) - this.above;
    }
    if (this.state.isFollowing) element.scrollTop = element.scrollHeight;
    this.become(this.state.isFollowing ? measured(true, element) : this.state);
  };

  private become(state: ScrollState): void {
    this.state = state;
    const now = isAway(state, this.element);
    if (now === this.wasAway) return;
    this.wasAway = now;
    this.onaway(now);
  }
}
