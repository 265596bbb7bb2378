// Every message of docs/protocol.md is understood; nothing else gets in.
import { expect, test } from 'vitest';
import { decode } from './protocol';
import { example, fixtureText } from './testing';

const TYPES = [
  'hello',
  'ok',
  'error',
  'snapshot',
  'messages',
  'turn',
  'text',
  'rewrite',
  'conversation',
  'choices',
  'engine',
  'banner',
  'brand',
  'overview',
  'closing',
] as const;

test.each(TYPES)('the example of %s is understood, with all its fields', (type) => {
  const text = fixtureText(`protocol/${type}.json`);
  expect(decode(text)).toEqual(JSON.parse(text));
});

test.each(TYPES)('a %s without its fields is ignored', (type) => {
  expect(decode(JSON.stringify({ type }))).toBeNull();
});

test.each(['', 'nonsense', 'null', '[]', '1', '{}', '{"type":"toString"}', '{"type":"other"}'])(
  '%j is ignored',
  (text) => {
    expect(decode(text)).toBeNull();
  },
);

test('an unknown field is let through', () => {
  expect(decode(JSON.stringify({ ...example('closing'), later: 1 }))).not.toBeNull();
});

test('a refusal may be of no request in particular', () => {
  expect(decode('{"type":"error","id":null,"code":"bad_request","fields":{}}')).not.toBeNull();
});
