// Shows markdown that may still be growing: closed blocks are drawn once, only the tail again.
import type { Token } from 'marked';
import { fenceLanguage, lex, normalise } from './blocks';
import type { Lexed, Links } from './blocks';
import { draw, isCode } from './draw';
import type { Drawn, DrawOptions } from './draw';
import { followFootnote } from './footnotes';
import { grow } from './grow';
import { Pace } from './pace';

export interface MarkdownOptions extends DrawOptions {
  /** Called after each drawing that may have changed the height. */
  onflush?: () => void;
}

interface Block extends Drawn {
  token: Token;
  /** The link definitions it was drawn with, if it could use any. */
  links: string;
}

const BUDGET_MS = 8; // half a frame at 60 per second

export class MarkdownView {
  readonly #host: HTMLElement;
  readonly #options: MarkdownOptions;
  readonly #pace = new Pace(() => this.#flush());
  #text = '';
  #blocks: Block[] = [];
  // The leading blocks that are closed: how many, the text they came from, their definitions.
  #settled = 0;
  #settledText = '';
  #links = none();
  #destroyed = false;

  /** The host belongs to the view from now on; it gets the class `markdown`. */
  constructor(host: HTMLElement, options: MarkdownOptions) {
    this.#host = host;
    this.#options = options;
    host.classList.add('markdown');
    host.replaceChildren();
    host.addEventListener('click', this.#click);
  }

  /** Takes the whole text so far; it is drawn soon. */
  update(text: string): void {
    if (this.#destroyed || text === this.#text) return;
    this.#text = text;
    this.#pace.request();
  }

  /** Takes the final text and draws it at once, as if it had never been partial. */
  finish(text: string): void {
    if (this.#destroyed) return;
    this.#pace.cancel();
    this.#text = text;
    this.#forget(); // a link may have been used before its definition: look at everything again
    this.#reconcile(normalise(text), { complete: true, budget: Infinity });
    this.#options.onflush?.();
  }

  /** Stops drawing. What is shown stays until the owner removes the host. */
  destroy(): void {
    this.#destroyed = true;
    this.#pace.cancel();
  }

  readonly #click = (event: MouseEvent): void => followFootnote(event, this.#host);

  #flush(): boolean {
    const source = normalise(this.#text);
    if (!source.startsWith(this.#settledText)) this.#forget();
    // Nobody waits for a frame in a hidden tab, and it must be complete when it comes back.
    const budget = document.hidden ? Infinity : BUDGET_MS;
    const more = this.#reconcile(source, { complete: false, budget });
    this.#options.onflush?.();
    return more;
  }

  /** Closed blocks are open to change again; those that did not change keep their nodes. */
  #forget(): void {
    this.#settled = 0;
    this.#settledText = '';
    this.#links = none();
  }

  /** Makes the blocks after the settled ones show `source`; says whether time ran out before. */
  #reconcile(source: string, { complete, budget }: { complete: boolean; budget: number }): boolean {
    const first = this.#settled;
    const lexed = lex(source.slice(this.#settledText.length), this.#links);
    const links = JSON.stringify(lexed.links);
    const start = performance.now();
    let shown = 0;
    let drew = false;
    for (const token of lexed.blocks) {
      if (drew && performance.now() - start > budget) break;
      const last = shown === lexed.blocks.length - 1;
      drew = this.#show(first + shown, token, links, complete || !last) || drew;
      shown += 1;
    }
    const more = shown < lexed.blocks.length;
    if (!more) for (const block of this.#blocks.splice(first + shown)) remove(block.nodes);
    this.#settle(source, lexed, Math.min(shown, lexed.settled));
    return more;
  }

  #settle(source: string, { blocks, ends, links }: Lexed, count: number): void {
    const end = ends[count - 1];
    if (end === undefined) return;
    this.#settled += count;
    this.#settledText = source.slice(0, this.#settledText.length + end);
    for (const token of blocks.slice(0, count)) {
      const tag = 'tag' in token ? String(token.tag) : undefined; // of a link or of a footnote
      const link = tag === undefined ? undefined : links[tag];
      if (tag !== undefined && link) this.#links[tag] = link;
    }
  }

  /** Makes block `index` show `token`; says whether it had to be drawn anew. */
  #show(index: number, token: Token, links: string, complete: boolean): boolean {
    const usable = token.raw.includes('[') ? links : '';
    let block = this.#blocks[index];
    const same = block !== undefined && this.#keeps(block, token, usable);
    if (!block || !same) {
      const drawn = draw(token, this.#options);
      this.#place(index, drawn.nodes);
      block = this.#blocks[index] = { ...drawn, token, links: usable };
    }
    if (isCode(token)) block.code?.set(token.text.replace(/\n$/, ''), complete);
    return !same;
  }

  /** Whether `block` shows `token` already, or could be made to by growing. */
  #keeps(block: Block, token: Token, links: string): boolean {
    const before = block.token;
    if (isCode(token)) {
      return isCode(before) && fenceLanguage(before.lang) === fenceLanguage(token.lang);
    }
    if (before.type !== token.type || block.links !== links) return false;
    if (before.raw !== token.raw && !grow(block, before, token, this.#options)) return false;
    block.token = token;
    return true;
  }

  /** Puts nodes where block `index` stands, in place of those it had. */
  #place(index: number, nodes: Node[]): void {
    const next = this.#blocks.slice(index).find((block) => block.nodes.length > 0)?.nodes[0];
    const fragment = document.createDocumentFragment();
    fragment.append(...nodes);
    this.#host.insertBefore(fragment, next ?? null);
    remove(this.#blocks[index]?.nodes ?? []);
  }
}

// Without a prototype: a definition may well be named `constructor`.
function none(): Links {
  return Object.create(null) as Links;
}

function remove(nodes: Node[]): void {
  for (const node of nodes) node.parentNode?.removeChild(node);
}

/** Shows text that is complete, in one go. */
export function renderOnce(host: HTMLElement, text: string, options: MarkdownOptions): void {
  new MarkdownView(host, options).finish(text);
}
