// A code block: header with language and copy button, and text that may still be growing.
import { copyText } from './clipboard';
import { fileName, saveText } from './files';
import { highlight, highlighter } from './highlight';

export interface Labels {
  copy: string;
  copied: string;
  copyFailed: string;
  save: string;
  wrap: string;
}

const SVG = 'http://www.w3.org/2000/svg';
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
  header.append(
    language,
    wrapButton(frame, labels),
    saveButton(code, labels),
    copyButton(code, labels),
  );
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

function newButton(name: string): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = `code-block-tool code-block-${name}`;
  return button;
}

function iconButton(name: string, path: string, label: string): HTMLButtonElement {
  const button = newButton(name);
  button.title = label;
  button.setAttribute('aria-label', label);
  const icon = document.createElementNS(SVG, 'svg');
  icon.setAttribute('viewBox', '0 0 24 24');
  icon.setAttribute('aria-hidden', 'true');
  const line = document.createElementNS(SVG, 'path');
  line.setAttribute('d', path);
  icon.append(line);
  button.append(icon);
  return button;
}

/** Long lines go on below instead of out of sight; by itself code keeps its lines. */
function wrapButton(frame: HTMLElement, labels: Labels): HTMLButtonElement {
  const button = iconButton(
    'wrap',
    'M4 6h16M4 12h13a3 3 0 0 1 0 6h-5m2.5-2.5L12 18l2.5 2.5M4 18h4',
    labels.wrap,
  );
  button.setAttribute('aria-pressed', 'false');
  button.addEventListener('click', () => {
    const isOn = frame.classList.toggle('is-wrapped');
    button.setAttribute('aria-pressed', String(isOn));
  });
  return button;
}

function saveButton(code: Element, labels: Labels): HTMLButtonElement {
  const button = iconButton('save', 'M12 4v11m0 0-4.5-4.5M12 15l4.5-4.5M5 19.5h14', labels.save);
  button.addEventListener('click', () => saveText(code.textContent, fileName(languageOf(code))));
  return button;
}

function copyButton(code: Element, labels: Labels): HTMLButtonElement {
  const button = newButton('copy');
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
