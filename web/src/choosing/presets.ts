// Presets: choices under a name. Applying one copies them, so which one is in use is found by comparing.
import { KeptStore, sharedField } from '../chat/kept-store';
import type { Choices } from '../chat/protocol';

export interface Preset {
  readonly id: number;
  readonly name: string;
  readonly choices: Choices;
  readonly is_shared: boolean;
}

export const NAME_MAX_LENGTH = 60;

/** Every method rejects with a RequestError. */
export class PresetStore extends KeptStore {
  constructor(csrf: string, fetcher?: typeof fetch) {
    super('/presets', csrf, fetcher);
  }

  async list(): Promise<readonly Preset[]> {
    return (await this.asked<{ presets: readonly Preset[] }>('')).presets;
  }

  async add(name: string, choices: Choices, isShared: boolean): Promise<void> {
    const form = { name, choices: JSON.stringify(choices), shared: sharedField(isShared) };
    await this.asked('/add', form);
  }

  /** Renames it, and replaces what it chooses, if anything else is given. */
  async change({ id, is_shared }: Preset, name: string, choices?: Choices): Promise<void> {
    await this.asked('/change', {
      preset: String(id),
      name,
      shared: sharedField(is_shared),
      ...(choices === undefined ? {} : { choices: JSON.stringify(choices) }),
    });
  }

  async remove({ id, is_shared }: Preset): Promise<void> {
    await this.asked('/delete', { preset: String(id), shared: sharedField(is_shared) });
  }
}

/**
 * Returns the model that a preset chooses and that is not among those this person can use; '' where
 * there is no such. None at all tells nothing: the engine is away.
 */
export function missingModel({ choices }: Preset, usable: readonly string[]): string {
  const { model } = choices;
  return model === null || usable.length === 0 || usable.includes(model) ? '' : model;
}

/** Returns what a conversation has with a preset; one without a usable model leaves it its own. */
export function applied(preset: Preset, usable: readonly string[], before: Choices): Choices {
  const isUsable = preset.choices.model !== null && missingModel(preset, usable) === '';
  return { ...preset.choices, model: isUsable ? preset.choices.model : before.model };
}

/** Returns the preset whose choices these are, where `model` answers; null if there is none. */
export function presetInUse(
  presets: readonly Preset[],
  choices: Choices,
  model: string,
  usable: readonly string[],
): Preset | null {
  const same = presets.filter((preset) =>
    (Object.keys(preset.choices) as (keyof Choices)[]).every(
      (name) => name === 'model' || preset.choices[name] === choices[name],
    ),
  );
  // One that names the very model says more than one that leaves it open.
  const named = same.find((preset) => preset.choices.model === model);
  const isOpen = (preset: Preset): boolean =>
    preset.choices.model === null || missingModel(preset, usable) !== '';
  return named ?? same.find((preset) => isOpen(preset) && choosesMore(preset)) ?? null;
}

/** Says whether a preset sets anything but a model: without one, every conversation would match. */
const choosesMore = ({ choices }: Preset): boolean =>
  Object.entries(choices).some(([name, value]) => name !== 'model' && value !== null);
