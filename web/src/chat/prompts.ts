// Saved prompts: over HTTP, found as one types, with the variables that their texts ask for.
import { KeptStore, sharedField } from './kept-store';

export interface Prompt {
  readonly id: number;
  readonly title: string;
  readonly text: string;
  readonly is_shared: boolean;
}

const MOST_VARIABLES = 12; // a form that is longer would be no help

/** Every method rejects with a RequestError. */
export class PromptStore extends KeptStore {
  constructor(csrf: string, fetcher?: typeof fetch) {
    super('/prompts', csrf, fetcher);
  }

  async list(): Promise<readonly Prompt[]> {
    return (await this.asked<{ prompts: readonly Prompt[] }>('')).prompts;
  }

  async save({ id, title, text, is_shared }: Omit<Prompt, 'id'> & { id: number | null }) {
    const form = { title, text, shared: sharedField(is_shared) };
    if (id === null) await this.asked('/add', form);
    else await this.asked('/change', { ...form, prompt: String(id) });
  }

  async remove({ id, is_shared }: Prompt): Promise<void> {
    await this.asked('/delete', { prompt: String(id), shared: sharedField(is_shared) });
  }
}

const folded = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** Returns the prompts that have every word, those with it in their titles first. */
export function promptsFor(prompts: readonly Prompt[], query: string): readonly Prompt[] {
  const words = folded(query).split(/\s+/).filter(Boolean);
  const has = (text: string): boolean => words.every((word) => folded(text).includes(word));
  const titled = prompts.filter(({ title }) => has(title));
  return [...titled, ...prompts.filter((each) => !titled.includes(each) && has(each.text))];
}

const VARIABLE = /\{\{\s*([^{}\n]{1,60}?)\s*\}\}/g;

/** Returns the names in {{…}}, each once, in their order. */
export function variablesOf(text: string): readonly string[] {
  const names = [...text.matchAll(VARIABLE)].map(([, name]) => name ?? '');
  return [...new Set(names)].slice(0, MOST_VARIABLES);
}

/** Returns the text with its variables replaced, once: what a value says is not looked at again. */
export function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(VARIABLE, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
  );
}

/** Returns what follows the `/` of a field in which a prompt is looked for; null in any other. */
export const queryIn = (text: string): string | null =>
  /^\/([^\n/]{0,60})$/.exec(text)?.[1] ?? null;
