/** What every view has: the route, the connection, and data that is asked for again while the view is open. */
import { createContext } from 'preact';
import { useCallback, useContext, useEffect, useReducer, useRef, useState } from 'preact/hooks';
import type { Overview } from '../src/page/page-api.js';
import { ApiError, getJson, messageOf } from './api.js';
import type { Connection } from './connection.js';
import { hashOf, parseRoute, type Route } from './routes.js';

export interface Page {
  readonly route: Route;
  readonly connection: Connection;
  readonly overview: Overview;
  /** Replaces parameters of the route without a new entry of the history; `undefined` removes one. */
  readonly setParams: (params: Readonly<Record<string, string | undefined>>) => void;
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error('The view is rendered outside of the page.');
  return page;
}

/** The route of the address, and `setParams` of {@link Page}. */
export function useRoute(): [Route, Page['setParams']] {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const read = (): void => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, []);
  const setParams = useCallback<Page['setParams']>((params) => {
    const current = parseRoute(location.hash);
    const merged = Object.entries({ ...current.params, ...params }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
    );
    const next = { ...current, params: Object.fromEntries(merged) };
    history.replaceState(null, '', hashOf(next));
    setRoute(next);
  }, []);
  return [route, setParams];
}

/** Renders again after each change of the connection. */
export function useConnection(connection: Connection): void {
  const [, render] = useReducer<number, undefined>((turn) => turn + 1, 0);
  useEffect(() => connection.onChange(() => render(undefined)), [connection]);
}

export interface Resource<T> {
  readonly data: T | undefined;
  /** Of the last attempt. */
  readonly message: string | undefined;
  readonly status: number | undefined;
  readonly refresh: () => void;
}

/** Reports of instances are some seconds old anyway. */
const EVERY_MS = 3_000;

/** GETs the path now and every 3 seconds while the page is visible. */
export function useResource<T>(path: string): Resource<T> {
  const { connection, route } = usePage();
  const { source } = route.params;
  const [answer, setAnswer] = useState<{ key: string; data?: T; error?: unknown }>({ key: '' });
  const ask = useRef<() => void>(() => undefined);
  const key = `${source ?? ''} ${path}`;

  useEffect(() => {
    let isOpen = true;
    let isAsking = false;
    const get = async (): Promise<void> => {
      if (isAsking) return;
      isAsking = true;
      try {
        const data = await getJson<T>(path, source);
        if (isOpen) setAnswer({ key, data });
      } catch (error) {
        if (!isOpen) return;
        if (error instanceof ApiError && error.isSignedOut) connection.signedOut(error.message);
        else setAnswer((last) => (last.key === key ? { ...last, error } : { key, error }));
      } finally {
        isAsking = false;
      }
    };
    ask.current = () => void get();
    void get();
    const timer = setInterval(() => {
      if (!document.hidden) void get();
    }, EVERY_MS);
    return () => {
      isOpen = false;
      clearInterval(timer);
    };
  }, [key]);

  const refresh = useCallback(() => ask.current(), []);
  const { data, error } = answer.key === key ? answer : { data: undefined, error: undefined };
  return {
    data,
    message: error === undefined ? undefined : messageOf(error),
    status: error instanceof ApiError ? error.status : undefined,
    refresh,
  };
}
