// Which question is being edited where it stands: a hook for whatever lets somebody begin.
import type { Message, MessageId } from './protocol';

let edited = $state<MessageId | null>(null);

export const editing = {
  get message(): MessageId | null {
    return edited;
  },
  begin(message: MessageId): void {
    edited = message;
  },
  end(): void {
    edited = null;
  },
};

/** Begins to edit the last question of a branch; says whether there is one. */
export function editLast(branch: readonly Message[]): boolean {
  const last = branch.findLast(({ author }) => author === 'person');
  if (last !== undefined) editing.begin(last.id);
  return last !== undefined;
}
