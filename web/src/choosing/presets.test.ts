// Presets: which one is in use, what applying one changes, and what becomes of a model that is gone.
import { expect, test, vi } from 'vitest';
import type { Choices } from '../chat/protocol';
import { NOTHING } from './choices';
import type { Preset } from './presets';
import { applied, missingModel, presetInUse, PresetStore } from './presets';

const USABLE = ['couac:1b', 'couac:3b'];

const preset = (id: number, choices: Partial<Choices>): Preset => ({
  id,
  name: `n° ${id}`,
  choices: { ...NOTHING, ...choices },
  is_shared: false,
});

const vers = preset(1, { model: 'couac:3b', system_prompt: 'En vers.', temperature: 0 });
const open = preset(2, { system_prompt: 'En vers.', temperature: 0 });

test('applying copies every choice, and leaves the model where none is named or can be used', () => {
  const before = { ...NOTHING, model: 'couac:1b', think: true };
  expect(applied(vers, USABLE, before)).toEqual(vers.choices);
  expect(applied(open, USABLE, before)).toEqual({ ...open.choices, model: 'couac:1b' });
  expect(applied(vers, ['couac:1b'], before)).toEqual({ ...vers.choices, model: 'couac:1b' });
});

test('a model that is not among those one can use is missing; without an engine nothing is known', () => {
  expect(missingModel(vers, USABLE)).toBe('');
  expect(missingModel(vers, ['couac:1b'])).toBe('couac:3b');
  expect(missingModel(vers, [])).toBe('');
  expect(missingModel(open, ['couac:1b'])).toBe('');
});

test('the one in use has the very values, and the very model before any', () => {
  const both = [open, vers];
  expect(presetInUse(both, vers.choices, 'couac:3b', USABLE)).toBe(vers);
  expect(presetInUse(both, open.choices, 'couac:1b', USABLE)).toBe(open);
  expect(presetInUse(both, { ...open.choices, temperature: null }, 'couac:1b', USABLE)).toBeNull();
  expect(presetInUse([vers], vers.choices, 'couac:1b', USABLE)).toBeNull();
  expect(presetInUse([vers], open.choices, 'couac:1b', ['couac:1b'])).toBe(vers);
});

test('a preset of a model alone is in use with that model, also where it is the default', () => {
  const small = preset(3, { model: 'couac:1b' });
  expect(presetInUse([small], NOTHING, 'couac:1b', USABLE)).toBe(small);
  expect(presetInUse([small], NOTHING, 'couac:3b', USABLE)).toBeNull();
  expect(presetInUse([small], NOTHING, 'couac:3b', ['couac:3b'])).toBeNull();
});

test('renaming sends no choices; whose it is goes with everything', async () => {
  const fetcher = vi.fn<typeof fetch>(() => Promise.resolve(new Response('{}')));
  const store = new PresetStore('token', fetcher);
  await store.change({ ...open, is_shared: true }, 'Rimes');
  await store.add('Vers', open.choices, false);
  const sent = fetcher.mock.calls.map(([address, given]) => [
    address,
    Object.fromEntries(given?.body as URLSearchParams),
  ]);
  expect(sent).toEqual([
    ['/presets/change', { csrf: 'token', preset: '2', name: 'Rimes', shared: '1' }],
    [
      '/presets/add',
      { csrf: 'token', name: 'Vers', shared: '', choices: JSON.stringify(open.choices) },
    ],
  ]);
});
