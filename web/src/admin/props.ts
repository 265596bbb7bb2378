// What the server tells the admin page in its markup, once.
import type { Failure, User } from '../chat/protocol';

export type PageName = 'overview' | 'engine' | 'people' | 'data' | 'server';

export interface Props {
  readonly page: PageName;
  readonly user: User;
  readonly language: string;
  readonly csrf: string;
  readonly version: string;
  readonly brand: string;
  /** The answers of the verbs that the page begins with; one that failed has only its `error`. */
  readonly data: Readonly<Record<string, { readonly error?: Failure }>>;
}
