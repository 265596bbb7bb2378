// What the server tells the chat page in its markup, once.
import type { ConversationId, User } from './protocol';

export interface Props {
  readonly user: User;
  readonly brand: { readonly name: string; readonly logo: string };
  readonly language: string;
  readonly theme: string;
  readonly csrf: string;
  readonly conversation: ConversationId | null;
  readonly answer_tokens: number;
  readonly version: string;
}
