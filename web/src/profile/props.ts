// What the server tells the profile page in its markup, once.
import type { OwnUser } from '../chat/protocol';

/** A browser that is logged in; times are the server's. */
export interface Session {
  readonly id: string;
  readonly is_here: boolean;
  /** What the browser calls itself; '' where that was not kept. */
  readonly agent: string;
  readonly address: string;
  readonly created_at: string;
  readonly seen_at: string | null;
}

export interface Props {
  readonly user: OwnUser;
  readonly language: string;
  readonly csrf: string;
  readonly brand: string;
  readonly version: string;
  /** Those that can be used and are offered to this person. */
  readonly models: readonly string[];
  /** Who answers where nobody is named. */
  readonly default_model: string | null;
  readonly sessions: readonly Session[];
  readonly bounds: {
    readonly login: number;
    readonly name: number;
    readonly password_least: number;
    readonly password: number;
  };
}
