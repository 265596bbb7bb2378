// What the server tells the chat page in its markup, once.
import type { ConversationId, OwnUser } from './protocol';

export interface Props {
  readonly user: OwnUser;
  readonly brand: { readonly name: string; readonly logo: string };
  readonly language: string;
  readonly theme: string;
  readonly csrf: string;
  readonly conversation: ConversationId | null;
  readonly answer_tokens: number;
  readonly files_per_question: number;
  readonly version: string;
}
