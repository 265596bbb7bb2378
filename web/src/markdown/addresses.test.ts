// Addresses a model may and may not put into a page.
import { expect, test } from 'vitest';
import { linkKind, ownImage } from './addresses';

test.each([
  ['https://a.test/b?c#d', 'external'],
  [' HTTP://a.test', 'external'],
  ['mailto:a@b.test', 'mail'],
  ['/chat/12', 'local'],
  ['#x', 'local'],
  ['//evil.test', 'refused'],
  ['/\\evil.test', 'refused'],
  ['/\t/evil.test', 'refused'],
  ['\\\\evil.test', 'refused'],
  ['page.html', 'refused'],
  ['http:evil', 'refused'],
  ['https://', 'refused'],
  ['javascript:alert(1)', 'refused'],
  ['java\tscript:alert(1)', 'refused'],
  ['\u0001javascript:alert(1)', 'refused'],
  ['data:text/html,x', 'refused'],
  ['blob:https://a.test/1', 'refused'],
  ['file:///etc/passwd', 'refused'],
  ['', 'refused'],
])('link %j is %s', (address, kind) => {
  expect(linkKind(address)).toBe(kind);
});

test.each([
  ['/attachments/1/a.png', '/attachments/1/a.png'],
  ['/attachments/1/a b.png?w=2', '/attachments/1/a%20b.png?w=2'],
  ['/attachments/1/../2.png', '/attachments/2.png'],
  ['/attachments/../logout', undefined],
  ['/attachments/%2e%2e/logout', undefined],
  ['/attachments/..%2Flogout', undefined],
  ['/attachments/..%5clogout', undefined],
  ['/other/a.png', undefined],
  ['files/a.png', undefined],
  ['//evil.test/attachments/a.png', undefined],
  ['/\\evil.test/attachments/a.png', undefined],
  ['https://evil.test/attachments/a.png', undefined],
  ['http://here.invalid/attachments/a.png', undefined],
  ['data:image/png;base64,AA', undefined],
])('image %j is %j', (address, path) => {
  expect(ownImage(address)).toBe(path);
});
