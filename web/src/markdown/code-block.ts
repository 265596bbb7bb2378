// A code block: header with language and copy button, and text that may still be growing.
import { copyText } from './clipboard';
import { highlight, highlighter } from './highlight';

export interface Labels {
  copy: string;
  copied: string;
  copyFailed: string;
}

const MESSAGE_MS = 2000; // how long "copied" stays on the button
const REPAINT_AFTER = 200; // characters; then at each growth by half, so that the sum stays linear
const LONGEST_PAINTED = 60_000; // characters; colouring takes about 1 ms per 1,000

/** Puts a header around a drawn `<pre><code>`; the `pre` may stand in a document or not. */
export function decorateCodeBlock(pre: Element, labels: Labels): HTMLElement {
  const code = pre.querySelector('code') ?? pre;
  const frame = element('div', 'code-block');
  const header = element('div', 'code-block-header');
  const language = element('span', 'code-block-language');
  language.textContent = languageOf(code);
  header.append(language, copyButton(code, labels));
  pre.replaceWith(frame);
  frame.append(header, pre);
  // What scrolls must be reachable by keyboard.
  pre.setAttribute('tabindex', '0');
  return frame;
}

export function languageOf(code: Element): string {
  return /^language-(\S+)$/.exec(code.className)?.[1] ?? '';
}

function element(tag: 'div' | 'span', name: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = name;
  return made;
}

function copyButton(code: Element, labels: Labels): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'code-block-copy';
  button.textContent = labels.copy;
  button.setAttribute('aria-live', 'polite');
  let timer: ReturnType<typeof setTimeout> | undefined;
  const copy = async (): Promise<void> => {
    const copied = await copyText(code.textContent, button.parentElement ?? document.body);
    button.textContent = copied ? labels.copied : labels.copyFailed;
    clearTimeout(timer);
    timer = setTimeout(() => (button.textContent = labels.copy), MESSAGE_MS);
  };
  button.addEventListener('click', () => void copy());
  return button;
}

/** The text of one `<code>`: appended while it only grows, coloured at growing intervals. */
export class CodeText {
  readonly #code: Element;
  readonly #language: string;
  #text = '';
  #painted = 0; // characters that were there when it was last coloured
  #waiting = false;

  /** `coloured` false leaves the text plain for ever. */
  constructor(code: Element, coloured: boolean) {
    this.#code = code;
    this.#language = coloured ? languageOf(code) : '';
    this.#text = code.textContent;
  }

  /** The whole text so far. `complete` colours it to the end, whatever the interval. */
  set(text: string, complete: boolean): void {
    if (text !== this.#text) this.#write(text);
    const due = text.length >= REPAINT_AFTER && text.length >= this.#painted * 1.5;
    if ((complete || due) && this.#painted !== text.length) this.#paint();
  }

  #write(text: string): void {
    const tail = this.#code.lastChild;
    if (!text.startsWith(this.#text)) {
      this.#code.textContent = text;
      this.#painted = 0;
    } else if (tail instanceof Text) tail.appendData(text.slice(this.#text.length));
    else this.#code.append(text.slice(this.#text.length));
    this.#text = text;
  }

  #paint(): void {
    if (this.#language === '' || this.#text.length > LONGEST_PAINTED || this.#waiting) return;
    if (highlighter.now === undefined) {
      this.#waiting = true;
      void highlighter.load().then((loaded) => {
        this.#waiting = false;
        if (loaded !== undefined) this.#paint();
      });
      return;
    }
    this.#painted = this.#text.length;
    const coloured = highlight(this.#text, this.#language);
    if (coloured) this.#code.replaceChildren(coloured);
  }
}
