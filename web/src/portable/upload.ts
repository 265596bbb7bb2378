// Sends a file of conversations and follows what becomes of it: lines of JSON, the last one the sum.
import type { Fields } from '../chat/protocol';

export interface Sum {
  readonly type: 'done';
  readonly imported: number;
  readonly known: number;
  readonly skipped: number;
  readonly reasons: readonly { readonly title: string; readonly reason: string }[];
  readonly files: number;
}

export type Progress =
  | { readonly stage: 'sending'; readonly share: number }
  | { readonly stage: 'reading'; readonly count: number }
  | { readonly stage: 'keeping'; readonly count: number; readonly total: number };

/** Why nothing came of it; `connection_lost` where nobody knows. */
export class UploadError extends Error {
  constructor(
    readonly code: string,
    readonly fields: Fields = {},
  ) {
    super(code);
  }
}

export const JSON_MAX_BYTES = 200 * 1024 * 1024;

type Line =
  | Sum
  | { readonly type: 'error'; readonly error: { readonly code: string; readonly fields: Fields } }
  | {
      readonly type: 'progress';
      readonly stage: 'reading' | 'keeping';
      readonly count: number;
      readonly total: number | null;
    };

/** Returns the newest whole line; null where there is none yet, or it is not one of ours. */
export function lastLine(text: string): Line | null {
  const end = text.lastIndexOf('\n');
  const line = text.slice(text.lastIndexOf('\n', end - 1) + 1, end);
  try {
    return end < 0 ? null : (JSON.parse(line) as Line);
  } catch {
    return null;
  }
}

/** Rejects with an UploadError. */
export function upload(
  file: File,
  token: string,
  onprogress: (progress: Progress) => void,
): Promise<Sum> {
  // How large a zip may be, only the server knows: it depends on what files one may have.
  if (file.size > JSON_MAX_BYTES && !file.name.toLowerCase().endsWith('.zip')) {
    return Promise.reject(new UploadError('import_too_large', { limit_bytes: JSON_MAX_BYTES }));
  }
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest(); // fetch tells nothing of what was sent
    request.open('POST', '/import');
    request.setRequestHeader('X-Form-Token', token);
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded, total }) =>
      onprogress({ stage: 'sending', share: total > 0 ? loaded / total : 0 });
    request.onprogress = () => {
      const line = lastLine(request.responseText);
      if (line?.type !== 'progress') return;
      if (line.stage === 'reading') onprogress({ stage: 'reading', count: line.count });
      else onprogress({ stage: 'keeping', count: line.count, total: line.total ?? line.count });
    };
    request.onload = () => {
      const line = lastLine(request.responseText);
      if (line?.type === 'done') resolve(line);
      else if (line?.type === 'error') reject(new UploadError(line.error.code, line.error.fields));
      else reject(refusal(request.responseText));
    };
    request.onerror = () => reject(new UploadError('connection_lost'));
    request.send(file);
  });
}

function refusal(text: string): UploadError {
  try {
    const { error } = JSON.parse(text) as { error: { code: string; fields: Fields } };
    return new UploadError(error.code, error.fields);
  } catch {
    return new UploadError('connection_lost');
  }
}
