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
  ['/files/1/a.png', '/files/1/a.png'],
  ['/files/1/a b.png?w=2', '/files/1/a%20b.png?w=2'],
  ['/files/1/../2.png', '/files/2.png'],
  ['/files/../logout', undefined],
  ['/files/%2e%2e/logout', undefined],
  ['/files/..%2Flogout', undefined],
  ['/files/..%5clogout', undefined],
  ['/other/a.png', undefined],
  ['files/a.png', undefined],
  ['//evil.test/files/a.png', undefined],
  ['/\\evil.test/files/a.png', undefined],
  ['https://evil.test/files/a.png', undefined],
  ['http://here.invalid/files/a.png', undefined],
  ['data:image/png;base64,AA', undefined],
])('image %j is %j', (address, path) => {
  expect(ownImage(address)).toBe(path);
});
