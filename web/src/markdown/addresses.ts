// Decides which addresses a model may put into a page: pure, by the URL parser browsers use.

// A host that cannot exist: what still points here after parsing is an address of our own.
const HERE = 'http://here.invalid';

export type LinkKind = 'external' | 'mail' | 'local' | 'refused';

// Not URL.parse: it is younger (2024) than browsers found in companies.
function parse(address: string): URL | undefined {
  try {
    return new URL(address, HERE);
  } catch {
    return undefined;
  }
}

/** Where a link leads. Relative addresses are refused unless they start with `/` or `#`. */
export function linkKind(address: string): LinkKind {
  const url = parse(address);
  if (!url) return 'refused';
  const start = address.trimStart();
  // Asked of the text too: the parser also takes `http:path` for a relative address.
  if (/^https?:\/\//i.test(start)) return 'external';
  if (url.protocol === 'mailto:') return 'mail';
  return url.origin === HERE && /^[/#]/.test(start) ? 'local' : 'refused';
}

/** The path of an image among the person's own files, or nothing: other images are never fetched. */
export function ownImage(address: string): string | undefined {
  const url = parse(address);
  if (!url || url.origin !== HERE || !/^\s*\//.test(address)) return undefined;
  // `..` is resolved by now; an escaped slash could bring it back on the server.
  if (!url.pathname.startsWith('/attachments/') || /%2f|%5c/i.test(url.pathname)) return undefined;
  return url.pathname + url.search;
}
