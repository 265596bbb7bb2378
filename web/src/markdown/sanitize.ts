// The second wall: turns HTML made from a model's text into nodes that can do no harm.
import createPurifier from 'dompurify';
import type { Config } from 'dompurify';
import { linkKind, ownImage } from './addresses';

// Everything is listed: profiles with exceptions once let an empty <template> through.
const CONFIG = {
  ALLOWED_TAGS: (
    'a abbr b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img ins kbd li ' +
    'mark ol p pre q s samp span strong sub summary sup table tbody td tfoot th thead tr u ul #text'
  ).split(' '),
  ALLOWED_ATTR: 'href src alt title class align colspan rowspan start lang dir open'.split(' '),
  // The expression below is asked of every attribute not named here: `align` would be lost.
  ADD_URI_SAFE_ATTR: 'align colspan rowspan start lang dir open'.split(' '),
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|\/(?![/\\])|#)/i,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true, // a string would need a Trusted Types policy of our own
} as const satisfies Config;

// Any other class would let an answer dress as a part of the page (`fixed inset-0`).
const CLASS =
  /^(?:language-[\w+#.-]{1,32}|task-box|footnote|footnote-use|maths|maths maths-display)$/;
const LONGEST_ADDRESS = 200; // characters; a data: image can be megabytes

const purifier = createPurifier(window);
const refusedImages = new WeakMap<Element, string>();

// Hooks run on a document that is not shown, where nothing is fetched.
purifier.addHook('uponSanitizeAttribute', (element, attribute) => {
  switch (attribute.attrName) {
    case 'class':
      attribute.keepAttr = CLASS.test(attribute.attrValue);
      break;
    case 'href':
      attribute.keepAttr = linkKind(attribute.attrValue) !== 'refused';
      break;
    case 'src': {
      const path = ownImage(attribute.attrValue);
      if (path === undefined) {
        refusedImages.set(element, attribute.attrValue);
        attribute.keepAttr = false;
      } else attribute.attrValue = path;
    }
  }
});

/** Safe nodes made of `html`: links open elsewhere, images not ours become links. */
export function sanitize(html: string): DocumentFragment {
  const fragment = purifier.sanitize(html, CONFIG);
  for (const image of fragment.querySelectorAll('img')) {
    if (image.hasAttribute('src')) image.loading = 'lazy';
    else image.replaceWith(imageAsText(image));
  }
  for (const link of fragment.querySelectorAll('a')) {
    const address = link.getAttribute('href');
    if (address === null) link.replaceWith(...link.childNodes);
    else if (linkKind(address) === 'external') sendElsewhere(link);
  }
  return fragment;
}

function sendElsewhere(link: HTMLAnchorElement): void {
  link.target = '_blank';
  link.rel = 'noopener noreferrer nofollow';
}

function imageAsText(image: HTMLImageElement): Node {
  const address = refusedImages.get(image) ?? '';
  const shown =
    address.length > LONGEST_ADDRESS ? address.slice(0, LONGEST_ADDRESS) + '…' : address;
  const text = image.alt && shown ? `${image.alt} (${shown})` : image.alt || shown;
  const document = image.ownerDocument;
  if (linkKind(address) !== 'external' || image.closest('a')) return document.createTextNode(text);
  const link = document.createElement('a');
  link.href = address;
  link.textContent = text;
  return link;
}
