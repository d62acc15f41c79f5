/** Answers as the JSON bytes that HTTP servers send. */
import { UnencodableValueError } from '../typeorm/answers/value-codec.js';

export const NO_BODY = Buffer.alloc(0);

export type ToBody = (value: unknown) => Buffer;

/** @throws UnencodableValueError for a value that servers do not send as JSON: a string, bytes or nothing. */
export function toJson(value: unknown): Buffer {
  const json =
    typeof value === 'string' || ArrayBuffer.isView(value)
      ? undefined
      : (JSON.stringify(value) as string | undefined);
  if (json === undefined) throw new UnencodableValueError('what is not sent as JSON');
  return Buffer.from(json);
}

export function fromJson(body: Buffer): unknown {
  return JSON.parse(body.toString());
}
