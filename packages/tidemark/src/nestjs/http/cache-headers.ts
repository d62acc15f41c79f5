/** The headers of a cached answer, combined with those that the application has set already. */
import type { FreshRead } from '../../core/read-request.js';
import type { JsonOutcome } from '../planned-reads.js';
import type { HttpReply } from './http-reply.js';

/** `Cache-Status` if the query itself has failed. */
export const FAILED_STATUS = 'tidemark; fwd=miss; detail=failed';

/** How to combine a header that is set already with an added value. */
const COMBINE = {
  /** The application decides for how long its clients may keep an answer. */
  'cache-control': (held: string): string => held,
  /** The list has one member for each cache (RFC 9211): the previous member of this cache is replaced. */
  'cache-status': (held: string, added: string): string => {
    const others = held.replace(/(^|, *)tidemark; [^,"]*$/, '');
    return others === '' ? added : `${others}, ${added}`;
  },
  /** `*` covers every name. */
  vary: (held: string, added: string): string => {
    const names = held.toLowerCase().split(/[\s,]+/);
    if (names.includes('*')) return '*';
    return names.includes(added.toLowerCase()) ? held : `${held}, ${added}`;
  },
};

/** Sets the header, or combines it with the existing value. */
export function addHeader(reply: HttpReply, name: keyof typeof COMBINE, value: string): void {
  const held = [reply.getHeader(name) ?? []].flat().join(', ');
  void reply.header(name, held === '' ? value : COMBINE[name](held, value));
}

/** Sets the content type that the adapter sets for an object. */
export function setJsonType(reply: HttpReply): void {
  const own = reply.getHeader('content-type') ?? 'application/json';
  if (typeof own === 'string' && !own.includes(';')) {
    void reply.header('content-type', `${own}; charset=utf-8`);
  }
}

/** What `Cache-Control` of a request asks for (RFC 9111 section 5.2.1). */
export function freshReadOf(header: string | undefined): FreshRead | undefined {
  if (header === undefined) return undefined;
  const directives = header.toLowerCase().split(/[\s,]+/);
  if (directives.includes('no-store')) return 'no-store';
  return directives.includes('no-cache') ? 'store' : undefined;
}

/** `Cache-Status` (RFC 9211). `nowMs`: wall clock; `fresh`: what the request has asked for. */
export function statusOf(outcome: JsonOutcome, nowMs: number, fresh?: FreshRead): string {
  switch (outcome.source) {
    case 'hit': {
      const ttl = secondsBetween(nowMs, outcome.entry.expiresAtMs);
      return `tidemark; hit; ttl=${ttl}; detail=${outcome.level}`;
    }
    case 'miss':
      return `tidemark; fwd=${fresh ? 'request' : 'miss'}; ${outcome.stored ? 'stored' : `detail=${outcome.refusal}`}`;
    case 'bypass':
      return `tidemark; fwd=${outcome.reason === 'no-store' ? 'request' : 'bypass'}; detail=${outcome.detail ?? outcome.reason}`;
  }
}

/** Whole seconds; 0 if `toMs` is before `fromMs`. */
export function secondsBetween(fromMs: number, toMs: number): number {
  return Math.max(0, Math.floor((toMs - fromMs) / 1000));
}
