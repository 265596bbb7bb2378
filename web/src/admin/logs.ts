// A log as it is written: lines that are kept, filtered, and followed for as long as somebody looks.
import { pauseSeconds, RequestError } from '../chat/socket';

export interface LogEvent {
  readonly type: 'line' | 'now' | 'end';
  readonly text?: string;
}

/** Opens the stream; aborting `leaving` ends it. */
export type OpenLog = (leaving: AbortController) => AsyncIterable<LogEvent>;

export const KEPT = 1000;
const TOGETHER_MS = 100; // lines come in crowds: the page is drawn once for each

/** From what level on lines are shown; each is named as in the log. */
export const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
export type Level = (typeof LEVELS)[number];

/** Returns the lines that are at least of a level and hold a text; one without a level has any. */
export function fitting(lines: readonly string[], level: Level, text: string): readonly string[] {
  const least = LEVELS.indexOf(level);
  const wanted = text.trim().toLocaleLowerCase();
  return lines.filter((line) => {
    const rank = LEVELS.indexOf(line.split(' ', 2)[1] as Level);
    return (rank === -1 || rank >= least) && line.toLocaleLowerCase().includes(wanted);
  });
}

/** Returns the newest of what is kept and what came; what both have is kept once. */
export function joined(kept: readonly string[], told: readonly string[]): readonly string[] {
  const last = kept.at(-1);
  const known = last === undefined ? -1 : told.lastIndexOf(last);
  return [...kept, ...told.slice(known + 1)].slice(-KEPT);
}

export interface Reader {
  /** The last lines of the log, which may have some that were told before. */
  readonly onbefore: (lines: readonly string[]) => void;
  /** Lines that are new. */
  readonly onlines: (lines: readonly string[]) => void;
  /** Whether the connection is lost, and tried again. */
  readonly onaway: (isAway: boolean) => void;
  /** Nothing more comes: it is refused. */
  readonly onend: (thrown: unknown) => void;
}

/** Follows a log while the page is in sight, through losses of the connection. Returns its end. */
export function follow(open: OpenLog, reader: Reader): () => void {
  let leaving: AbortController | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  async function read(mine: AbortController): Promise<void> {
    let before: string[] | null = [];
    const tell = gathering((lines) => {
      if (leaving === mine) reader.onlines(lines);
    });
    for await (const { type, text = '' } of open(mine)) {
      if (leaving !== mine) return;
      if (type === 'line' && before === null) tell(text);
      else if (type === 'line') before?.push(text);
      else if (before !== null) {
        reader.onbefore(before);
        before = null;
        failures = 0;
        reader.onaway(false);
      }
    }
  }

  async function begin(): Promise<void> {
    const mine = new AbortController();
    leaving = mine;
    try {
      await read(mine);
    } catch (thrown) {
      if (leaving !== mine) return;
      if (!isPassing(thrown)) {
        end();
        reader.onend(thrown);
        return;
      }
    }
    if (leaving !== mine) return;
    reader.onaway(true);
    retry = setTimeout(() => void begin(), pauseSeconds(failures++, Math.random) * 1000);
  }

  function rest(): void {
    clearTimeout(retry);
    leaving?.abort();
    leaving = null;
  }

  function look(): void {
    if (document.hidden) rest();
    else if (leaving === null) void begin();
  }

  function end(): void {
    document.removeEventListener('visibilitychange', look);
    rest();
  }

  document.addEventListener('visibilitychange', look);
  look();
  return end;
}

/** Says whether trying again may help: the server is away, ends, or is behind a proxy that says so. */
function isPassing(thrown: unknown): boolean {
  const passing = ['connection_lost', 'server_stopping', 'internal_error'];
  return thrown instanceof RequestError && passing.includes(thrown.code);
}

function gathering(tell: (lines: readonly string[]) => void): (line: string) => void {
  let gathered: string[] = [];
  return (line) => {
    if (gathered.push(line) > 1) return;
    setTimeout(() => {
      const lines = gathered;
      gathered = [];
      tell(lines);
    }, TOGETHER_MS);
  };
}
