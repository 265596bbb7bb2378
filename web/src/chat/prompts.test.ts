// Prompts: found as one types, filled in once, and refused with a reason.
import { expect, test, vi } from 'vitest';
import type { Prompt } from './prompts';
import { filled, promptsFor, PromptStore, queryIn, variablesOf } from './prompts';

const prompt = (id: number, title: string, text = ''): Prompt => ({
  id,
  title,
  text,
  is_shared: false,
});

test('a field that begins with / looks for a prompt, and a path does not', () => {
  expect(queryIn('/')).toBe('');
  expect(queryIn('/rés bref')).toBe('rés bref');
  for (const text of ['', 'a/', '/etc/hosts', '/a\nb', '//']) expect(queryIn(text)).toBeNull();
});

test('every word is looked for, accents and case apart, titles first', () => {
  const all = [prompt(1, 'Courriel', 'un résumé bref'), prompt(2, 'Résumé Bref'), prompt(3, 'x')];
  expect(promptsFor(all, 'RESUME b').map(({ id }) => id)).toEqual([2, 1]);
  expect(promptsFor(all, '')).toEqual(all);
});

test('each variable is asked for once, and what a value says is not looked at again', () => {
  const text = 'À {{ qui }} : {{texte}}, signé {{qui}}. {{}} {a} {b}}';
  expect(variablesOf(text)).toEqual(['qui', 'texte']);
  expect(filled(text, { qui: '{{texte}}', texte: '$&' })).toBe(
    'À {{texte}} : $&, signé {{texte}}. {{}} {a} {b}}',
  );
});

test.each([
  [new Response('{"error": {"code": "store_full", "fields": {}}}', { status: 507 }), 'store_full'],
  [new Response('<p>', { status: 502 }), 'internal_error'],
])('a refusal keeps its code (%#)', async (response, code) => {
  const store = new PromptStore('token', () => Promise.resolve(response));
  await expect(store.list()).rejects.toThrow(code);
});

test('without a server it says so; what is saved goes with the token of the page', async () => {
  const fetcher = vi.fn<typeof fetch>(() => Promise.reject(new TypeError('offline')));
  const store = new PromptStore('token', fetcher);
  await expect(store.save({ ...prompt(3, 'T', 'x'), is_shared: true })).rejects.toThrow(
    'connection_lost',
  );
  expect(fetcher.mock.calls[0]?.[0]).toBe('/prompts/change');
  expect((fetcher.mock.calls[0]?.[1]?.body as URLSearchParams).toString()).toBe(
    'csrf=token&title=T&text=x&shared=1&prompt=3',
  );
});
