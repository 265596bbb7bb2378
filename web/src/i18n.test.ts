import { beforeEach, describe, expect, it } from 'vitest';
import { addTexts, decimal, loadTexts, mark, t, tn, useTexts } from './i18n';

const FRENCH = {
  Stop: 'Arrêter',
  'Hello {name}': 'Bonjour {name}',
  '{n} token': { one: '{n} jeton', many: '{n} de jetons', other: '{n} jetons' },
};

describe('in French', () => {
  beforeEach(() => {
    useTexts('fr', FRENCH);
  });

  it('says a text', () => {
    expect(t('Stop')).toBe('Arrêter');
  });

  it('puts values in their places, also one that looks like a place', () => {
    expect(t('Hello {name}', { name: '{name} $& $1' })).toBe('Bonjour {name} $& $1');
  });

  it('leaves a place without a value as it is', () => {
    expect(t('Hello {name}')).toBe('Bonjour {name}');
  });

  it('writes numbers', () => {
    expect(decimal(12.36)).toBe('12,4');
  });

  it('says a text it does not know in English', () => {
    expect(t('Retry in {n} s', { n: 3 })).toBe('Retry in 3 s');
    expect(t('constructor')).toBe('constructor');
  });

  it.each([
    [0, '0 jeton'],
    [1, '1 jeton'],
    [1.5, '1.5 jeton'],
    [2, '2 jetons'],
    [1_000_000, '1000000 de jetons'],
  ])('counts as French does: %d', (n, said) => {
    expect(tn('{n} token', '{n} tokens', n)).toBe(said);
  });

  it('lets the values write the count in their own way', () => {
    expect(tn('{n} token', '{n} tokens', 2000, { n: '2 000' })).toBe('2 000 jetons');
  });
});

describe('in English', () => {
  beforeEach(() => {
    useTexts('en', {});
  });

  it('says the source text, which needs no catalogue', () => {
    expect(t('Stop')).toBe('Stop');
    expect(t(mark('Stop'))).toBe('Stop');
  });

  it.each([
    [0, '0 tokens'],
    [1, '1 token'],
    [2, '2 tokens'],
  ])('counts as English does: %d', (n, said) => {
    expect(tn('{n} token', '{n} tokens', n)).toBe(said);
  });
});

describe('the catalogues made by scripts/locales.py', () => {
  it.each(['fr', 'en', 'fr-CA', 'xx'])('load: %s', async (language) => {
    await loadTexts(language);

    expect(t('Not a text of ours')).toBe('Not a text of ours');
  });

  it('leave in what a part adds while they come, in their language', async () => {
    useTexts('en', {});
    const loaded = loadTexts('fr');
    await addTexts({
      fr: () => Promise.resolve({ default: { Part: 'Partie' } }),
      en: () => Promise.resolve({ default: { Part: 'English' } }),
    });
    await loaded;

    expect(t('Part')).toBe('Partie');
    expect(t('Stop')).toBe('Arrêter');
  });
});
