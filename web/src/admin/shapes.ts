// What the operator's verbs answer: docs/control.md, as far as these pages show it.
import type { FailedReason, Model, Verdict } from '../chat/protocol';

export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly started_at: string;
  readonly uptime_seconds: number;
  readonly address: string;
  readonly health: 'ok' | 'degraded' | 'failed';
  readonly problems: readonly string[];
  readonly memory_bytes: number | null;
  readonly machine: {
    readonly cores: number;
    readonly load: number;
    readonly memory_total_bytes: number;
    readonly memory_available_bytes: number;
    readonly disk_total_bytes: number;
    readonly disk_free_bytes: number;
  };
  readonly sockets: number;
  readonly engine: {
    readonly kind: string;
    readonly address: string | null;
    readonly is_up: boolean;
    readonly version: string | null;
    readonly detail: string | null;
    readonly model: string | null;
    readonly loaded: readonly string[];
    readonly state: Verdict;
    readonly reason: FailedReason | null;
    readonly since: string;
    readonly cpu_cores: number | null;
    readonly memory_bytes: number | null;
  };
  readonly turns: {
    readonly queued: number;
    readonly running: number;
    readonly is_paused: boolean;
    readonly is_held: boolean;
  };
  readonly users: { readonly total: number; readonly pending: number; readonly online: number };
  readonly restarts: { readonly daemon: readonly Restart[]; readonly engine: readonly Restart[] };
}

export interface Restart {
  readonly at: string;
  readonly cause: string;
  readonly by: string | null;
}

export interface Line {
  readonly turn: number;
  readonly asker: string | null;
  readonly state: string;
  readonly attempt: number;
  readonly model: string;
  readonly source: string;
  readonly place: number | null;
  readonly wait_seconds: readonly [number, number] | null;
  readonly is_healing: boolean;
}

export interface Queue {
  readonly paused: boolean;
  readonly is_held: boolean;
  readonly running: readonly Line[];
  readonly waiting: readonly Line[];
}

export interface Incident {
  readonly at: string;
  readonly before: Verdict;
  readonly after: Verdict;
  readonly evidence: Readonly<Record<string, string | number | boolean>>;
}

/** How a model answers; null is the server's own, or where that is null the engine's. */
export interface ModelOptions {
  readonly temperature: number | null;
  readonly top_p: number | null;
  readonly answer_tokens: number | null;
  readonly context_tokens: number | null;
}

export type VisibleTo = 'everyone' | 'members' | 'admins';

export interface RuledModel extends Model {
  readonly visible_to: VisibleTo;
  readonly options: ModelOptions;
}

export interface ModelList {
  readonly models: readonly RuledModel[];
  readonly default: string | null;
  readonly option_defaults: ModelOptions;
}

/** Whether a model fits the server; what is null is not known. */
export interface Fit {
  readonly model: string;
  readonly verdict: 'fits' | 'tight' | 'does_not_fit' | 'unknown';
  readonly reason: string;
  readonly is_installed: boolean;
  readonly size_bytes: number | null;
  readonly size_from: 'engine' | 'catalogue' | 'name' | null;
  readonly memory_needed_bytes: number | null;
  readonly memory_available_bytes: number | null;
  readonly memory_total_bytes: number | null;
  readonly slots: number | null;
  readonly context_tokens: number | null;
  readonly fitting_context_tokens: number | null;
  readonly disk_needed_bytes: number | null;
  readonly disk_free_bytes: number | null;
  readonly unloads: readonly string[];
}

export type Role = 'admin' | 'member' | 'reader';

export interface Person {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly role: Role;
  readonly state: 'pending' | 'active' | 'suspended';
  readonly language: string;
  readonly created_at: string;
}

export interface Session {
  readonly id: string;
  readonly user: string;
  readonly address: string;
  readonly created_at: string;
  readonly seen_at: string | null;
  readonly expires_at: string;
  readonly open_pages: number;
}

export interface Invitation {
  readonly id: string;
  readonly uses_left: number;
  readonly created_by: string;
  readonly created_at: string;
  readonly expires_at: string;
}

export interface Belongings {
  readonly conversations: number;
  readonly messages: number;
}

export interface DataShape {
  readonly sizes: {
    readonly database: number;
    readonly unused: number;
    readonly log: number;
    readonly backups: number;
    readonly uploads: number;
    readonly models: number;
    readonly disk_free: number;
    readonly disk_total: number;
    readonly people: number;
    readonly conversations: number;
    readonly messages: number;
  };
  readonly schema: number;
  readonly retention: Retention;
  readonly night: {
    readonly is_backed_up: boolean;
    readonly hour: number;
    readonly done_at: string | null;
    readonly error: { readonly code: string; readonly fields: Record<string, unknown> } | null;
  };
}

export interface Retention {
  readonly conversation_days: number;
  readonly bin_days: number;
  readonly audit_days: number;
  readonly incident_days: number;
}

export interface Old {
  readonly old: Readonly<Record<string, number>>;
  readonly retention: Retention;
}

export interface Backup {
  readonly name: string;
  readonly kind: 'nightly' | 'manual' | 'before-restore';
  readonly made_at: string;
  readonly schema: number;
  readonly size_bytes: number;
}

/** The thumbs that answers got in the last `days`, by model. */
export interface RatingCounts {
  readonly days: number;
  readonly models: readonly {
    readonly model: string;
    readonly up: number;
    readonly down: number;
  }[];
}

export type Range = '1h' | '24h' | '7d';

export interface Samples {
  readonly range: Range;
  /** From one figure to the next. */
  readonly span_seconds: number;
  /** Seconds since 1970. */
  readonly at: readonly number[];
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly actor: string;
  readonly verb: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly next: number | null;
}

/** An event of a download on the server. */
export interface Step {
  readonly type: 'progress' | 'done';
  readonly stage?: string;
  readonly bytes?: number | null;
  readonly total_bytes?: number | null;
}

/** A model of the catalogue; `why_not`: why the engine that there is cannot have it. */
export interface Starter {
  readonly name: string;
  readonly title: string;
  readonly licence: string;
  readonly languages: readonly string[];
  readonly size_bytes: number | null;
  readonly is_there: boolean;
  readonly why_not: 'elsewhere' | 'not_in_ollama' | null;
}
