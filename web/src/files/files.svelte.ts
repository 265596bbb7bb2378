// The files that go with the next question: coming, read, refused, and what they cost.
import { SvelteMap } from 'svelte/reactivity';
import { keep, kept } from '../chat/keep';
import type { Attachment, Fields } from '../chat/protocol';
import type { Answers, Cost, Requests, Verb } from '../chat/requests';
import { RequestError } from '../chat/socket';
import { prepared } from './pictures';
import { upload } from './upload';

export interface Item {
  readonly key: number;
  readonly name: string;
  readonly size: number;
  /** From 0 to 1; 1 while the server reads it. */
  readonly progress: number;
  readonly attachment: Attachment | null;
  readonly failure: { readonly code: string; readonly fields: Fields } | null;
}

export type Ask = <V extends Verb>(verb: V, fields: Requests[V]) => Promise<Answers[V]>;

let keys = 0;

export class Files {
  items = $state.raw<readonly Item[]>([]);
  cost = $state.raw<Cost | null>(null);
  /** The names of those that had no room when files were last given. */
  leftOut = $state.raw<readonly string[]>([]);
  readonly #cancels = new SvelteMap<number, () => void>();

  /** Has what waited in this tab before a reload wait again; `user`: whose it is. */
  constructor(
    private readonly ask: Ask,
    private readonly token: string,
    private readonly user: number,
    private readonly model: () => string | null,
    /** So many go with a question; the server refuses one that has more. */
    readonly most: number,
  ) {
    this.items = waiting(this.#name).map((attachment) => itemOf(attachment));
    for (const { key, attachment } of this.items) void this.#confirm(key, attachment?.id ?? '');
  }

  get #name(): string {
    return `files.${this.user}`;
  }

  get ids(): readonly string[] {
    return this.items.flatMap(({ attachment }) => (attachment === null ? [] : [attachment.id]));
  }

  get isComing(): boolean {
    return this.items.some(({ attachment, failure }) => attachment === null && failure === null);
  }

  /** The tokens of all, about. */
  get tokens(): number {
    return this.ids.reduce((sum, id) => sum + (this.cost?.tokens[id] ?? 0), 0);
  }

  get isTooLong(): boolean {
    return this.cost !== null && this.tokens > this.cost.room_tokens;
  }

  get isUnseen(): boolean {
    const pictures = this.items.some(({ attachment }) => attachment?.kind === 'image');
    return pictures && this.cost !== null && !this.cost.sees;
  }

  /** Whether the question must wait: the person is told why. */
  get isHeld(): boolean {
    return this.isComing || this.isTooLong || this.isUnseen;
  }

  /** Takes the first of these for which there is room; returns whether that is all of them. */
  add(files: readonly File[]): boolean {
    // One that was refused does not go with the question.
    const taken = this.items.filter(({ failure }) => failure === null).length;
    const room = Math.max(0, this.most - taken);
    for (const file of files.slice(0, room)) void this.#bring(file);
    this.leftOut = files.slice(room).map(({ name }) => name);
    return this.leftOut.length === 0;
  }

  async #bring(given: File): Promise<void> {
    const key = ++keys;
    const first = { key, name: given.name, size: given.size, progress: 0 };
    this.#become([...this.items, { ...first, attachment: null, failure: null }]);
    const file = await prepared(given);
    if (!this.items.some((item) => item.key === key)) return;
    this.#change(key, { name: file.name, size: file.size });
    const { done, cancel } = upload(file, this.token, (progress) =>
      this.#change(key, { progress }),
    );
    this.#cancels.set(key, cancel);
    try {
      this.#change(key, { attachment: await done });
      await this.count();
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.#change(key, { failure: error });
    } finally {
      this.#cancels.delete(key);
    }
  }

  remove(key: number): void {
    const gone = this.items.find((item) => item.key === key);
    this.#become(this.items.filter((item) => item.key !== key));
    this.#cancels.get(key)?.();
    const id = gone?.attachment?.id;
    // What cannot be removed now goes by itself after a day.
    if (id !== undefined) void this.ask('attachment.remove', { attachment: id }).catch(() => null);
    void this.count();
  }

  /** Returns what goes with a question that is being sent, and forgets the rest. */
  take(): readonly string[] {
    const { ids } = this;
    this.#become([]);
    this.cost = null;
    return ids;
  }

  /** Has what was taken wait again, before what has come since. */
  putBack(items: readonly Item[]): void {
    this.#become([...items, ...this.items]);
    void this.count();
  }

  /** Takes another description of a file: another part of it is sent. */
  async change(attachment: Attachment): Promise<void> {
    const item = this.items.find((each) => each.attachment?.id === attachment.id);
    if (item !== undefined) this.#change(item.key, { attachment });
    await this.count();
  }

  /** Asks what the files take of the model that is chosen now. */
  async count(model = this.model()): Promise<void> {
    const attachments = this.ids;
    if (attachments.length === 0) {
      this.cost = null;
      return;
    }
    try {
      const asked = { attachments, text: '', model };
      this.cost = await this.ask('attachment.cost', asked);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.cost = null; // the engine is away: the question itself will say so
    }
  }

  #change(key: number, changes: Partial<Item>): void {
    this.#become(this.items.map((item) => (item.key === key ? { ...item, ...changes } : item)));
  }

  #become(items: readonly Item[]): void {
    this.items = items;
    if (items.length === 0) this.leftOut = [];
    const read = items.flatMap(({ attachment }) => attachment ?? []);
    keep(this.#name, read.length === 0 ? '' : JSON.stringify(read), 'sessionStorage');
  }

  /** Lets go of a file that is no more, as after a day. */
  async #confirm(key: number, attachment: string): Promise<void> {
    try {
      await this.ask('attachment.show', { attachment });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code !== 'not_found') return;
      this.#become(this.items.filter((item) => item.key !== key));
      await this.count();
    }
  }
}

function itemOf(attachment: Attachment): Item {
  const { name, size_bytes: size } = attachment;
  return { key: ++keys, name, size, progress: 1, attachment, failure: null };
}

function waiting(name: string): readonly Attachment[] {
  try {
    return JSON.parse(kept(name, 'sessionStorage') || '[]') as Attachment[];
  } catch {
    return []; // of another version of the page
  }
}
