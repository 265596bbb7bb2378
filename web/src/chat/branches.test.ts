// Versions of questions and answers: which are shown, and who may change that.
import { beforeEach, expect, test } from 'vitest';
import type { Shown } from './branches';
import { choosing, shownOf } from './branches';
import { VersionsOf } from './versions';
import { answer, message } from './testing';

const NONE = new Set<number>();
const ids = ({ branch }: Shown): number[] => branch.map(({ id }) => id);

// 1 ─ 2 ─ 3 ─ 4      a question, its answer, another pair below it
//   └ 5              the first answer again
// 6 ─ 7              the first question, edited
const TREE = [
  message(1),
  answer(2, 1),
  message(3, { parent: 2 }),
  answer(4, 3),
  answer(5, 1),
  message(6),
  answer(7, 6),
];

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});

test('the newest message is shown, with what stands above it', () => {
  expect(ids(shownOf(TREE, NONE))).toEqual([6, 7]);
  expect(ids(shownOf(TREE.slice(0, 5), NONE))).toEqual([1, 5]);
  expect(ids(shownOf(TREE.slice(0, 4), NONE))).toEqual([1, 2, 3, 4]);
});

test('each message of the branch that has other versions knows all of them', () => {
  const { versions } = shownOf(TREE, choosing(NONE, TREE, 4));

  expect([...versions]).toEqual([
    [1, [1, 6]],
    [2, [2, 5]],
  ]);
});

test('a choice holds below another one: one comes back to the branch one left', () => {
  const deep = choosing(NONE, TREE, 2);
  expect(ids(shownOf(TREE, deep))).toEqual([1, 2, 3, 4]);
  const away = choosing(deep, TREE, 6);
  expect(ids(shownOf(TREE, away))).toEqual([6, 7]);

  expect(ids(shownOf(TREE, choosing(away, TREE, 1)))).toEqual([1, 2, 3, 4]);
  expect(ids(shownOf(TREE, choosing(deep, TREE, 5)))).toEqual([1, 5]);
});

test('what is not there changes nothing, and parents that go round in a circle end', () => {
  expect(ids(shownOf(TREE, choosing(NONE, TREE, 99)))).toEqual([6, 7]);
  const circle = [message(1, { parent: 2 }), message(2, { parent: 1 })];
  expect(ids(shownOf(circle, choosing(NONE, circle, 1)))).toEqual([]);
});

test('a branch whose beginning is not there is shown from where it begins', () => {
  expect(ids(shownOf(TREE.slice(2, 4), NONE))).toEqual([3, 4]);
});

test('which branch was shown is remembered by the tab, and for the next one', () => {
  const tab = new VersionsOf();
  tab.want('c', 2);
  expect(ids(tab.shown('c', TREE))).toEqual([1, 2, 3, 4]);
  const other = new VersionsOf();
  other.want('c', 5);
  expect(ids(other.shown('c', TREE))).toEqual([1, 5]);
  expect(ids(tab.shown('c', TREE))).toEqual([1, 2, 3, 4]);

  expect(ids(new VersionsOf().shown('c', TREE))).toEqual([1, 5]); // reloaded: the tab's own
  sessionStorage.clear();
  expect(ids(new VersionsOf().shown('c', TREE))).toEqual([1, 5]); // a new tab
});

test('what was written elsewhere meanwhile is shown after all', () => {
  const tab = new VersionsOf();
  tab.want('c', 4);
  tab.shown('c', TREE);
  const more = [...TREE, message(8, { parent: 7 }), answer(9, 8)];

  expect(ids(new VersionsOf().shown('c', more))).toEqual([6, 7, 8, 9]);
});

test('a version that another tab adds comes beside what is shown', () => {
  const tab = new VersionsOf();
  const before = TREE.slice(0, 4);
  tab.shown('c', before);
  tab.hold('c', before);

  expect(ids(tab.shown('c', TREE))).toEqual([1, 2, 3, 4]);
  expect(tab.shown('c', TREE).versions.get(2)).toEqual([2, 5]);
  const further = [...TREE, message(8, { parent: 4 }), answer(9, 8)];
  expect(ids(tab.shown('c', further))).toEqual([1, 2, 3, 4, 8, 9]);
});

test('where nothing may be kept, the newest is shown', () => {
  const refused = Object.getOwnPropertyDescriptor(window, 'sessionStorage');
  Object.defineProperty(window, 'sessionStorage', {
    configurable: true,
    get: () => {
      throw new DOMException('no', 'SecurityError');
    },
  });
  expect(ids(new VersionsOf().shown('c', TREE))).toEqual([6, 7]);
  if (refused !== undefined) Object.defineProperty(window, 'sessionStorage', refused);
});
