// Brings one file to the server, with its progress; fetch() tells none.
import type { Attachment, Fields } from '../chat/protocol';
import { RequestError } from '../chat/socket';

export interface Upload {
  readonly done: Promise<Attachment>;
  readonly cancel: () => void;
}

/** `done` rejects with a RequestError; `onprogress` is told a share from 0 to 1. */
export function upload(file: File, token: string, onprogress: (share: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<Attachment>((resolve, reject) => {
    const fail = (code: string, fields: Fields = {}): void =>
      reject(new RequestError(code, fields));
    request.upload.onprogress = ({ loaded, total }) => onprogress(total === 0 ? 0 : loaded / total);
    request.onerror = () => fail('connection_lost');
    request.onabort = () => fail('connection_lost');
    request.onload = () => {
      const answer = request.response as {
        attachment?: Attachment;
        error?: { code: string; fields: Fields };
      } | null;
      if (answer?.attachment !== undefined) resolve(answer.attachment);
      else fail(answer?.error?.code ?? 'internal_error', answer?.error?.fields);
    };
  });
  request.open('POST', '/attachments');
  request.responseType = 'json';
  request.setRequestHeader('Accept', 'application/json');
  request.setRequestHeader('Content-Type', 'application/octet-stream');
  request.setRequestHeader('X-Form-Token', token);
  request.setRequestHeader(
    'X-File-Name',
    encodeURIComponent(file.name.replace(/\p{Surrogate}/gu, '\uFFFD')),
  );
  request.send(file);
  return { done, cancel: () => request.abort() };
}
