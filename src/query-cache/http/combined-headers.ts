/** How a header of the cache and one that the application has set already become one header. */
import type { FastifyReply } from 'fastify';

type Combine = (held: string, added: string) => string;

/** Every other header replaces what was set before. */
const COMBINED: Readonly<Record<string, Combine>> = {
  age: older,
  'cache-control': stricter,
  'cache-status': withMember,
  vary: withNames,
};

/** Sets the header, or combines it with the one that is set. `name`: in lower case. */
export function addHeader(reply: FastifyReply, name: string, value: string): void {
  const combine = COMBINED[name];
  const held = combine && reply.getHeader(name);
  void reply.header(name, held === undefined ? value : combine?.(textOf(held), value));
}

function textOf(header: number | string | string[]): string {
  return Array.isArray(header) ? header.join(', ') : String(header);
}

/** Items of a list, without commas in quotes counting (RFC 9110 section 5.6.1). */
function itemsOf(list: string): readonly string[] {
  const items = list.match(/(?:[^,"]|"(?:\\.|[^"\\])*"?)+/g) ?? [];
  return items.map((item) => item.trim()).filter((item) => item !== '');
}

function nameOf(item: string): string {
  return (/^[^=;\s]*/.exec(item)?.[0] ?? '').toLowerCase();
}

/** Directives that let a response be kept or used for longer (RFC 9111 section 5.2.2, RFC 5861, RFC 8246). */
const LOOSENING = new Set([
  'public',
  'max-age',
  's-maxage',
  'immutable',
  'stale-while-revalidate',
  'stale-if-error',
]);

/**
 * `Cache-Control`: `no-store` is never taken away. Otherwise the directives that are added hold, and of the others
 * those that restrict.
 */
function stricter(held: string, added: string): string {
  const directives = itemsOf(held);
  if (directives.some((directive) => nameOf(directive) === 'no-store')) return held;
  const names = new Set(itemsOf(added).map(nameOf));
  const kept = directives.filter((directive) => {
    const name = nameOf(directive);
    return !names.has(name) && !LOOSENING.has(name);
  });
  return [added, ...kept].join(', ');
}

/** `Vary`: the names of both. `*` already covers every name. */
function withNames(held: string, added: string): string {
  const names = itemsOf(held);
  const lower = new Set(names.map((name) => name.toLowerCase()));
  if (lower.has('*')) return '*';
  return [...names, ...itemsOf(added).filter((name) => !lower.has(name.toLowerCase()))].join(', ');
}

/** `Cache-Status` (RFC 9211): a list with one member for each cache, so an earlier one of this cache goes. */
function withMember(held: string, added: string): string {
  const others = itemsOf(held).filter((member) => nameOf(member) !== nameOf(added));
  return [...others, added].join(', ');
}

/** `Age`: an answer is at least as old as either says. */
function older(held: string, added: string): string {
  return Number(held) > Number(added) ? held : added;
}
