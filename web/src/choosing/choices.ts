// What is chosen for a conversation, as this page knows it.
import type { Choices, Model } from '../chat/protocol';
import type { View } from '../chat/view';

export const NOTHING: Choices = {
  model: null,
  system_prompt: null,
  temperature: null,
  answer_tokens: null,
  exchanges: null,
  think: null,
};

export const ALL = 0; // exchanges
export const PROMPT_MAX_LENGTH = 8000;

/** Says whether anything but the model is chosen. */
export function isSet(choices: Choices): boolean {
  return Object.entries(choices).some(([name, value]) => name !== 'model' && value !== null);
}

/** Returns the model that will answer, as far as it is offered. */
export function modelOf(view: View, choices: Choices): Model | undefined {
  const name = choices.model ?? view.defaultModel;
  return view.models.find((model) => model.name === name);
}

/** Returns the names of the models that can answer. */
export const usableNames = ({ models }: View): readonly string[] =>
  models.filter((model) => !model.is_broken).map(({ name }) => name);

/** Says whether what was chosen cannot answer: it is gone, hidden, broken or set aside. */
export function isGone(view: View, choices: Choices): boolean {
  if (choices.model === null || view.models.length === 0) return false;
  const model = modelOf(view, choices);
  return model === undefined || model.is_broken;
}
