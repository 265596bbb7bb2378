// What the chat page knows and can do: the socket's messages in, one immutable view out.
import { NOTHING } from './branches';
import { VersionsOf } from './versions';
import type { ConversationState, Growing } from './conversation';
import { apply, EMPTY } from './conversation';
import { newClientId } from './ids';
import { Listing } from './listing';
import { engineProblem } from './engine';
import type {
  Answers,
  Choices,
  Conversation,
  ConversationEvent,
  ConversationId,
  Failure,
  FolderId,
  Found,
  Hello,
  MessageId,
  Ok,
  Place,
  Refusal,
  Requests,
  ServerMessage,
  Verb,
} from './protocol';
import { listedWith } from './shelves';
import type { End, SocketLike } from './socket';
import { Connection, RequestError } from './socket';
import type { Pending, View } from './view';
import { changedBy, FIRST_VIEW, partOf } from './view';

// Far beyond any model's context. The server cuts a socket off at 4 MB, and a page that sent more
// would send it again at each return.
const QUESTION_MAX_LENGTH = 500_000;
const CHARACTERS_PER_TOKEN = 4; // about, in French and English; only to tell the size

const tokensIn = (length: number): number => Math.round(length / CHARACTERS_PER_TOKEN);

export interface ClientOptions {
  open: () => SocketLike;
  /** The address follows the open conversation; `push` makes a step for the back button. */
  onaddress: (id: ConversationId | null) => void;
  onview: (view: View) => void;
  onend: (end: End) => void;
}

const KEPT = 8; // conversations of which the page remembers the messages, to come back at once

export class ChatClient {
  view: View = FIRST_VIEW;
  onshares: (() => void) | null = null; // of who shows what colleagues share
  private readonly connection: Connection;
  private readonly states = new Map<ConversationId, ConversationState>();
  /** The newest request to watch each conversation that has no answer yet. */
  private readonly watching = new Map<ConversationId, symbol>();
  private readonly versions = new VersionsOf();
  /** The question whose next answer this page has asked for. */
  private answered: MessageId | null = null;
  private readonly listing = new Listing();
  private readonly followers = new Map<MessageId, (growing: Growing) => void>();

  constructor(private readonly options: ClientOptions) {
    this.connection = new Connection({
      open: options.open,
      onmessage: (message) => this.receive(message),
      onstatus: (status) => this.show({ status }),
      onend: (end) => {
        this.show({ end });
        options.onend(end);
      },
    });
  }

  /** Connects, or tries again at once: the browser came back online or into view. */
  connect(): void {
    this.connection.connect();
  }

  close(): void {
    this.connection.close();
  }

  /** Opens a conversation, or null for a new one, at a message. The address is the caller's. */
  open(id: ConversationId | null, message: MessageId | null = null): void {
    const before = this.view.current;
    const landing = message === null ? null : { message };
    if (before === id && this.view.branch.length > 0) {
      if (id !== null && message !== null) this.land(id, message);
      return;
    }
    this.view = { ...this.view, landing };
    if (id !== null && message !== null) this.versions.want(id, message);
    if (before !== null && before !== id && this.connection.status === 'open') {
      this.watching.delete(before); // whatever is under way, the server will have forgotten it
      void this.attempt('conversation.unwatch', { conversation: before });
    }
    this.show({ current: id, isMissing: false, problem: null, pending: null, ...this.shown(id) });
    if (id !== null) void this.watch(id);
  }

  /**
   * Asks below what is shown, or instead of a question of before, as another version of it. Resolves
   * once the server has kept the question; `choices` are a new conversation's. Rejects with a RequestError.
   */
  async ask(
    text: string,
    choices: Partial<Choices> | null,
    client_id = newClientId(),
    edits: MessageId | null = null,
    attachments: readonly string[] | null = null,
  ): Promise<void> {
    if (text.length > QUESTION_MAX_LENGTH) {
      const fields = { tokens: tokensIn(text.length), limit_tokens: tokensIn(QUESTION_MAX_LENGTH) };
      this.show({ problem: { code: 'message_too_long', fields } });
      throw new RequestError('message_too_long', fields);
    }
    const conversation = this.view.current;
    const pending: Pending = {
      conversation,
      client_id,
      text,
      parent: edits === null ? (this.view.branch.at(-1)?.id ?? null) : null,
      edits,
      model: null, // the conversation's own
      choices: conversation === null ? choices : null,
      attachments,
    };
    this.show({ pending, problem: null });
    await this.send(pending);
  }

  /** Looks in titles and messages. Rejects with a RequestError. */
  search(text: string, before: MessageId | null): Promise<Found> {
    return this.connection.request('conversation.search', { text, before });
  }

  /** Asks for something whose refusal the caller tells. Rejects with a RequestError. */
  request<V extends Verb>(verb: V, fields: Requests[V]): Promise<Answers[V]> {
    return this.connection.request(verb, fields);
  }

  /** Fetches older conversations of the list, or of one folder. Rejects with a RequestError. */
  async older(folder: FolderId | null): Promise<void> {
    const fetch = (before: Place | null) => this.request('conversation.list', { before, folder });
    this.show(await this.listing.older(folder, fetch, () => this.view));
  }

  async stop(): Promise<void> {
    const { running } = this.view;
    if (running !== null) await this.attempt('chat.stop', { turn: running.id });
  }

  async regenerate(message: MessageId, model: string | null): Promise<void> {
    this.answered = this.view.branch.find(({ id }) => id === message)?.parent ?? null;
    await this.attempt('chat.regenerate', { message, model });
    this.answered = null;
  }

  /** Shows the answer that is being written. */
  chooseRunning(): void {
    const { current, running } = this.view;
    const { messages } = (current !== null && this.states.get(current)) || EMPTY;
    const message = messages.find(({ turn }) => turn !== null && turn.id === running?.id);
    if (message !== undefined) this.choose(message.id);
  }

  /** Shows another version: a message that is on another branch. */
  choose(message: MessageId): void {
    const { current } = this.view;
    if (current === null) return;
    this.versions.want(current, message);
    this.show(this.shown(current));
  }

  async continueAnswer(message: MessageId): Promise<void> {
    await this.attempt('chat.continue', { message });
  }

  /** Asks the server which models there are now, for somebody who is about to choose. */
  async refreshModels(): Promise<void> {
    try {
      const { models, default: defaultModel } = await this.connection.request('model.list', {});
      this.show({ models, defaultModel });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error; // the list that is shown stays
    }
  }

  dismiss(): void {
    this.show({ problem: null });
  }

  /** Calls back with the whole text of an answer, now if it is being written and as it grows. */
  follow(message: MessageId, listener: (growing: Growing) => void): () => void {
    this.followers.set(message, listener);
    const { current } = this.view;
    const growing = current === null ? null : this.states.get(current)?.growing;
    if (growing?.message === message) listener(growing);
    return () => this.followers.delete(message);
  }

  private async send(pending: Pending, isAgain = false): Promise<void> {
    try {
      const { conversation, question } = await this.connection.request('chat.ask', pending);
      this.versions.want(conversation, question);
      this.accepted(pending, conversation, isAgain);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code === 'connection_lost' && this.connection.status !== 'ended') {
        await this.untilOpen();
        await this.send(pending, true); // the same client_id: never two questions
        return;
      }
      if (this.view.pending === pending) this.show({ pending: null, problem: failure(error) });
      throw error;
    }
  }

  private accepted(pending: Pending, conversation: ConversationId, isAgain: boolean): void {
    if (this.view.pending !== pending) return; // the person went elsewhere meanwhile
    if (pending.conversation !== null) return;
    this.view = { ...this.view, pending: { ...pending, conversation } };
    this.show({ current: conversation, ...this.shown(conversation) });
    this.options.onaddress(conversation);
    // A first question makes its socket watch; one that was kept before the loss does not.
    if (isAgain) void this.watch(conversation);
  }

  private untilOpen(): Promise<void> {
    return new Promise((resolve) => this.opened.push(resolve));
  }
  private opened: (() => void)[] = [];

  /** Does something whose refusal is shown to the person. */
  private async attempt<V extends Verb>(verb: V, fields: Requests[V]): Promise<void> {
    this.show({ problem: null });
    try {
      await this.connection.request(verb, fields);
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      this.show({ problem: failure(error) });
    }
  }

  private async watch(id: ConversationId): Promise<void> {
    if (this.watching.has(id) || this.connection.status !== 'open') return;
    const request = Symbol(id);
    this.watching.set(id, request);
    try {
      const position = this.states.get(id)?.position ?? null;
      const { conversation } = await this.connection.request('conversation.watch', {
        conversation: id,
        position,
      });
      if (this.view.current === id) this.show({ opened: conversation });
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (error.code === 'connection_lost') return; // the next hello watches again
      this.states.delete(id);
      if (this.view.current === id) {
        const isMissing = error.code === 'not_found';
        const problem = isMissing ? null : failure(error);
        this.show({ isMissing, problem, ...this.shown(id), isOpening: false });
      }
    } finally {
      if (this.watching.get(id) === request) this.watching.delete(id);
    }
  }

  private receive(message: Exclude<ServerMessage, Ok | Refusal>): void {
    switch (message.type) {
      case 'hello':
        this.greeted(message);
        return;
      case 'snapshot':
      case 'messages':
      case 'turn':
      case 'text':
      case 'rewrite':
        this.happened(message);
        return;
      case 'conversation':
        this.listed(message.conversation);
        return;
      case 'conversations':
        this.show(this.listing.begin(message));
        // Is the open one still there? The list has only the newest.
        if (this.view.current !== null) void this.watch(this.view.current);
        return;
      case 'choices':
      case 'presets':
      case 'folders':
      case 'engine':
      case 'closing':
      case 'banner':
      case 'brand':
      case 'user':
        this.show(changedBy(message));
        return;
      case 'shares':
        this.onshares?.();
        return;
      case 'overview': // an administrator's page asks for it
        return;
      default:
        message satisfies never;
    }
  }

  private greeted(hello: Hello): void {
    const { user, folders, models, default_model: defaultModel, engine } = hello;
    const known = { ...this.listing.begin(hello), user, folders, models, defaultModel, engine };
    this.show({ ...known, banner: null, isRestarting: false });
    this.watching.clear();
    if (this.view.current !== null) void this.watch(this.view.current);
    const waiting = this.opened;
    this.opened = [];
    for (const resolve of waiting) resolve();
  }

  private happened(event: ConversationEvent): void {
    const id = event.conversation;
    const before = this.states.get(id) ?? EMPTY;
    if (before === EMPTY && id !== this.view.current) return;
    const state = apply(before, event);
    if (state === before) return;
    if (event.type === 'messages') {
      this.versions.hold(id, before.messages);
      const own = event.messages.find(({ parent }) => parent !== null && parent === this.answered);
      if (own !== undefined) this.versions.want(id, own.id);
    }
    this.remember(id, state);
    if (state.isBehind && !before.isBehind) void this.watch(id);
    if (id !== this.view.current) return;
    if (state.messages !== before.messages || state.stale !== before.stale) {
      this.show(this.shown(id));
    }
    if (state.growing !== null && state.growing !== before.growing) {
      this.followers.get(state.growing.message)?.(state.growing);
    }
  }

  private remember(id: ConversationId, state: ConversationState): void {
    this.states.set(id, state);
    if (this.states.size <= KEPT) return;
    for (const oldest of this.states.keys()) {
      if (oldest !== this.view.current) {
        this.states.delete(oldest);
        return;
      }
    }
  }

  private listed(conversation: Conversation): void {
    const isOpen = conversation.id === this.view.current;
    this.show({
      conversations: listedWith(this.view.conversations, conversation),
      ...(isOpen ? { opened: conversation } : {}),
    });
  }

  private land(id: ConversationId, message: MessageId): void {
    this.versions.want(id, message);
    this.view = { ...this.view, landing: { message } };
    this.show(this.shown(id));
  }

  private shown(id: ConversationId | null): Partial<View> {
    if (id === null) return partOf(this.view, null, null, NOTHING);
    const state = this.states.get(id) ?? EMPTY;
    return partOf(this.view, id, state, this.versions.shown(id, state.messages));
  }

  private show(change: Partial<View>): void {
    const next = { ...this.view, ...change };
    const isToldAlready = next.problem !== null && next.problem.code === engineProblem(next);
    this.view = isToldAlready ? { ...next, problem: null } : next;
    this.options.onview(this.view);
  }
}

function failure({ code, fields }: RequestError): Failure {
  return { code, fields };
}
