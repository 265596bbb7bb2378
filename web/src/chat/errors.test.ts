// Every code that the server can send says something, in words.
import { expect, test } from 'vitest';
import { CODES, errorText } from './errors';
import { fixtureText } from './testing';

const codes = JSON.parse(fixtureText('codes.json')) as string[];

test.each(codes)('%s says what happened and what to do', (code) => {
  const text = errorText(code, {});

  expect(text).not.toContain(code);
  expect(text).not.toMatch(/[{}]|undefined|null/);
  expect(text.length).toBeGreaterThan(20);
});

test('there is no sentence for a code that does not exist', () => {
  expect(CODES.filter((code) => !codes.includes(code))).toEqual(['connection_lost']);
});

test('an administrator is not sent to an administrator', () => {
  for (const code of [...CODES, 'brand_new']) {
    expect(errorText(code, {}, true)).not.toContain('tell your administrator');
  }
  const large = { fitting_context_tokens: 2048 };
  expect(errorText('model_too_large', large)).toContain('Your administrator can make it fit');
  expect(errorText('model_too_large', large, true)).not.toContain('administrator');
  expect(errorText('engine_stopped', {}, true)).not.toContain('administrator');
  expect(errorText('store_full', {}, true)).toContain('couachgptctl status');
  expect(errorText('store_full', {})).toContain('tell your administrator');
});

test('an administrator is led to the admin page wherever it can do what a terminal can', () => {
  const inTerminal = [...CODES, 'brand_new'].filter((code) =>
    errorText(code, {}, true).includes('`'),
  );
  // Where the store cannot be used, no page can be relied on.
  expect(inTerminal).toEqual(CODES.filter((code) => code.startsWith('store_')));
  expect(errorText('no_model', {}, true)).toContain(
    'Fetch one on the [Engine page](/admin/engine)',
  );
  expect(errorText('model_quarantined', {}, true)).toContain('[Engine page](/admin/engine)');
  expect(errorText('internal_error', {}, true)).toContain('[Server page](/admin/server)');
});

test('the fields are in the text', () => {
  const fields = { tokens: 9000, limit_tokens: 4096 };

  expect(errorText('message_too_long', fields)).toMatch(/9000.*4096/);
});

test.each([
  [2048, /12\.4 GB.*8\.1 GB.*2048 tokens/],
  [0, /12\.4 GB.*8\.1 GB[^0-9]*$/],
])('a model too large says by how much, and what would fit: %d', (context, said) => {
  const fields = {
    model: 'gros',
    needed_bytes: 12_360_000_000,
    total_bytes: 8_100_000_000,
    fitting_context_tokens: context,
  };

  expect(errorText('model_too_large', fields)).toMatch(said);
});

test.each(['brand_new', 'toString'])('an unknown code (%s) names itself', (code) => {
  expect(errorText(code, {})).toContain(code);
});
