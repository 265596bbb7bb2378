// The interface's texts in the person's language; the English of the sources is the key.

export type Language = 'fr' | 'en';
export type Values = Readonly<Record<string, string | number>>;
type Plural = Readonly<Partial<Record<Intl.LDMLPluralRule, string>>>;
export type Texts = Readonly<Record<string, string | Plural>>;

// Made from web/locales by scripts/locales.py; each language is a chunk of its own.
const sources: Sources = {
  fr: () => import('./generated/texts.fr.json'),
  en: () => import('./generated/texts.en.json'),
};

/** The texts of a part of the interface, by language. */
export type Sources = Record<Language, () => Promise<{ default: Texts }>>;

let spoken: Language = 'en';
let texts: Texts = {};
let rules = new Intl.PluralRules('en');
let numbers = numbersIn('en');

/**
 * Fetches the texts of a language, and those of a part; until then, and for an unknown one,
 * everything is English.
 */
export async function loadTexts(language: string, part?: Sources): Promise<void> {
  const known: Language = language === 'fr' ? 'fr' : 'en';
  useTexts(known, {}); // what is added meanwhile is of this language, and stays
  const found = await Promise.all([sources[known](), part?.[known]()]);
  texts = { ...texts, ...found[0].default, ...found[1]?.default };
}

/** Adds the texts of a part that comes later, in the language that is spoken. */
export async function addTexts(part: Sources): Promise<void> {
  const found = await part[spoken]();
  texts = { ...texts, ...found.default };
}

/** Speaks with these texts from now on. */
export function useTexts(language: Language, given: Texts): void {
  spoken = language;
  texts = given;
  rules = new Intl.PluralRules(language);
  numbers = numbersIn(language);
}

/** Says a text, with each {name} replaced by its value. */
export function t(text: string, values: Values = {}): string {
  const found = own(text);
  return fill(typeof found === 'string' ? found : (found?.one ?? text), values);
}

/** Says the form that fits the count; {n} is the count unless the values say otherwise. */
export function tn(one: string, many: string, n: number, values: Values = {}): string {
  const found = own(one);
  const category = rules.select(n);
  const text =
    typeof found === 'object'
      ? (found[category] ?? found.other ?? many)
      : category === 'one'
        ? one
        : many;
  return fill(text, { n, ...values });
}

/** Writes a number as the language does, with at most one decimal. */
export function decimal(value: number): string {
  return numbers.format(value);
}

/** Names a text that t() says later; scripts/locales.py collects it here. */
export function mark(text: string): string {
  return text;
}

function numbersIn(language: Language): Intl.NumberFormat {
  return new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
}

function own(text: string): string | Plural | undefined {
  return Object.hasOwn(texts, text) ? texts[text] : undefined;
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  );
}
