// What the messages of docs/protocol.md carry about shares.

export interface Colleague {
  readonly login: string;
  readonly name: string;
}

/** As its owner sees it. */
export interface Share {
  readonly id: string;
  readonly created_at: string;
  readonly messages: number;
  readonly people: readonly Colleague[];
}

/** As those see it with whom it is shared. */
export interface Shared {
  readonly id: string;
  readonly title: string;
  readonly owner: Colleague;
  readonly created_at: string;
  readonly messages: number;
}
