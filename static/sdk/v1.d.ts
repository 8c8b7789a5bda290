/** DOT Platform SDK, version 1. Everything that returns a promise may reject with a {@link DotError}. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface User {
  readonly id: string;
  readonly name: string;
  /** "ko" or "en": the language the person reads the platform in. */
  readonly locale: string;
}

export interface Entry<Value = Json> {
  key: string;
  value: Value;
  /** Grows with every write in this app; an entry has the one of its last write. */
  revision: number;
  created_at: string;
  updated_at: string;
}

export interface Change<Value = Json> {
  key: string;
  revision: number;
  deleted: boolean;
  /** Missing when the entry was deleted. */
  value?: Value;
  updated_at?: string;
}

export interface Transaction {
  /** The value, or undefined where there is none. Whatever is read must still be so when the transaction ends. */
  get<Value = Json>(key: string): Promise<Value | undefined>;
  set(key: string, value: unknown): void;
  delete(key: string): void;
}

export interface Usage {
  keys: number;
  bytes: number;
  max_keys: number;
  max_bytes: number;
  /** The fuller of the two, 0 to 1. */
  share: number;
  /** 0.8 or 0.9 once that much is used: time to tell the person. */
  notice: 0.8 | 0.9 | null;
}

export interface AppData {
  /** The value under *key*; undefined where there is none. A write of this page that is still on its way counts. */
  get<Value = Json>(key: string): Promise<Value | undefined>;
  /**
   * Store a JSON value (at most 256 KiB). Resolves when it is stored: at once where the platform is reachable, after
   * the connection is back otherwise. Writes are sent in the order they were made, also when the page is closed.
   */
  set(key: string, value: unknown): Promise<{ key: string; revision: number }>;
  /** Delete the entry; no error where there is none. */
  delete(key: string): Promise<void>;
  /** Every entry whose key begins with *prefix*, ordered by key. */
  list<Value = Json>(options?: { prefix?: string }): Promise<Entry<Value>[]>;
  /** Add *by* to a number (0 where there is none) without reading it first. Resolves to the sum. */
  increment(key: string, by?: number): Promise<number>;
  /**
   * Read and write several entries as one step, all or nothing. *work* runs again from its start when something it
   * read was changed meanwhile, so it should do nothing else; after several attempts it is a {@link ConflictError}.
   */
  transaction<Result>(work: (transaction: Transaction) => Promise<Result> | Result): Promise<Result>;
  /**
   * Call back for every change below *prefix* from now on, from any tab or device, this one included. What is told is
   * how the entry is now: of several quick changes to one key, the last.
   * Returns the function that ends it.
   */
  watch<Value = Json>(prefix: string, callback: (change: Change<Value>) => void): () => void;
  /** How much of the person's room in this app is used. */
  usage(): Promise<Usage>;
}

export interface Data extends AppData {
  /**
   * The person's data in another app, as far as they granted it: ask for `data:<app>:read`, `:write`, `:delete` in
   * `req_permissions` of the manifest. What is not granted is a {@link NotGrantedError}. Without a connection, writes
   * reject with an {@link OfflineError} instead of waiting.
   */
  of(appId: string): AppData;
}

export interface Metrics {
  /** Record one number under a name, for the operator's charts. */
  report(name: string, value: number, labels?: Record<string, string>): Promise<void>;
}

export class DotError extends Error {
  /** The API's code, such as "VALIDATION_ERROR"; "NOT_OPENED_BY_PLATFORM" outside a frame of the platform. */
  readonly code: string;
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  readonly details: unknown;
}

/** Somebody else changed it meanwhile. */
export class ConflictError extends DotError {
  /** The entry as it is now; null where it is gone. */
  readonly current: Entry | null;
}

/** No room left; `details` has the numbers. Reading and deleting still work. */
export class QuotaError extends DotError {}

/** A read did not reach the platform, or a write to another app's data. (Writes to one's own wait instead.) */
export class OfflineError extends DotError {}

/** The person has not granted that on the other app's data, or does not have that app. */
export class NotGrantedError extends DotError {
  /** What to ask for in `req_permissions` of the manifest: "data:tasks:read". */
  readonly permission: string;
}

export interface Dot {
  /** Resolves when the rest may be used. Rejects where the page was not opened by the platform. */
  readonly ready: Promise<Dot>;
  readonly user: User;
  /** What the person set, by the names in the manifest's `settings`; defaults filled in. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly data: Data;
  readonly metrics: Metrics;
  /**
   * What the operators decided for this person under this name: on or off, or a variant of an A/B test, always the
   * same one. `fallback` (false) where there is no such flag, or no answer.
   */
  flag<Value = boolean>(key: string, fallback?: Value): Promise<Value>;
  readonly DotError: typeof DotError;
  readonly ConflictError: typeof ConflictError;
  readonly QuotaError: typeof QuotaError;
  readonly OfflineError: typeof OfflineError;
  readonly NotGrantedError: typeof NotGrantedError;
}

export const dot: Dot;
export const ready: Dot["ready"];
export const user: User;
export const settings: Dot["settings"];
export const data: Data;
export const metrics: Metrics;
export const flag: Dot["flag"];
export default dot;

declare global {
  const dot: Dot;
  interface Window {
    readonly dot: Dot;
  }
}
