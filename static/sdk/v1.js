// DOT Platform SDK, version 1: <script src="/sdk/v1.js"></script>, then `await dot.ready`.
// Types and what each function does: v1.d.ts. What carries the requests is already in the page (Symbol "dot.runtime").

(() => {
  "use strict";

  const runtime = globalThis[Symbol.for("dot.runtime")];
  const context = runtime?.context;
  const ATTEMPTS = 4;
  const RETRY_MS = 300;
  const TRANSACTION_ATTEMPTS = 8;
  const MOST_ERRORS_REPORTED = 10;
  const LABEL_LENGTH = 256;
  const NOTICES = [0.9, 0.8];
  const TRY_AGAIN = new Set([429, 500, 502, 503, 504]);

  class DotError extends Error {
    constructor(message, { code = "ERROR", status = 0, details = null } = {}) {
      super(message);
      Object.assign(this, { name: new.target.name, code, status, details });
    }
  }
  class ConflictError extends DotError {
    get current() {
      return this.details?.current ?? null;
    }
  }
  class QuotaError extends DotError {}
  class OfflineError extends DotError {}

  class NotGrantedError extends DotError {
    get permission() {
      return this.details?.required_permission ?? null;
    }
  }

  const CLASSES = { 409: ConflictError, 412: ConflictError, 507: QuotaError };

  function errorOf({ status, message, code, details }) {
    const kind = details?.required_permission ? NotGrantedError : (CLASSES[status] ?? DotError);
    return new kind(message ?? `The platform answered ${status}.`, { code, status, details });
  }

  const notOpened = () => new DotError("This page was not opened by the platform.", { code: "NOT_OPENED_BY_PLATFORM" });

  function needContext() {
    if (!context) {
      throw notOpened();
    }
  }

  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // The answer; asked for again where it does not come, or is that the platform is busy.
  async function ask(path, options) {
    needContext();
    for (let attempt = 1; ; attempt++) {
      const response = await runtime.request(context.api + path, options).catch(() => null);
      if (response && !TRY_AGAIN.has(response.status)) {
        return response;
      }
      if (attempt === ATTEMPTS) {
        throw response
          ? await dataOf(response).catch((error) => error)
          : new OfflineError("The platform cannot be reached.", { code: "OFFLINE" });
      }
      const wait = Number(response?.headers.get("Retry-After")) * 1000 || RETRY_MS * 2 ** attempt;
      await pause(Math.min(wait, 5000) * (1 + Math.random() / 4));
    }
  }

  // The envelope's data.
  async function dataOf(response) {
    const body = await response.json().catch(() => null);
    if (response.ok) {
      return body.data;
    }
    throw errorOf({ status: response.status, ...body?.error });
  }

  // A copy as JSON, so that what the app changes afterwards is not what is sent.
  function jsonOf(value) {
    const text = JSON.stringify(value);
    if (text === undefined) {
      throw new TypeError("A value must be JSON; undefined, functions and symbols are not.");
    }
    return JSON.parse(text);
  }

  const putOf = (key, value) => ({ op: "put", key: String(key), value: jsonOf(value) });
  const deleteOf = (key) => ({ op: "delete", key: String(key) });

  // What an app may do with entries. *post* sends one batch's operations, in order with all others, and resolves to
  // their results when they are stored; *feed* tells of changes; *refused* makes the error where the app's data is not there for us.
  function makeData(path, { post, feed, refused = null }) {
    const queued = new Map(); // key → { operation, done } of the last write that is not stored yet

    function write(operations) {
      needContext();
      const done = post(operations);
      for (const operation of operations) {
        queued.set(operation.key, { operation, done });
      }
      const forget = () => {
        for (const { key } of operations) {
          if (queued.get(key)?.done === done) {
            queued.delete(key);
          }
        }
      };
      done.then(forget, forget);
      return done;
    }

    const writesDone = () => Promise.allSettled([...queued.values()].map(({ done }) => done));

    async function read(tail) {
      const response = await ask(path + tail);
      if (response.status === 404 && !refused) {
        return undefined; // uninstalled meanwhile
      }
      return dataOf(response).catch((error) => {
        throw error.status === 404 ? refused(error) : error;
      });
    }

    // By the list, where the key itself comes first: it has no 404 for the browser's console to complain about, and
    // keys with the segments "." and ".." survive.
    async function entry(key) {
      const page = await read(`/data?${new URLSearchParams({ prefix: key, limit: 1 })}`);
      return page?.items.find((item) => item.key === String(key));
    }

    async function* entries(prefix, values = true) {
      for (let cursor = ""; cursor !== null; ) {
        const query = new URLSearchParams({ prefix, limit: 1000, values, ...(cursor && { cursor }) });
        const page = (await read(`/data?${query}`)) ?? { items: [], cursor: null };
        yield* page.items;
        ({ cursor } = page);
      }
    }

    async function get(key) {
      const own = queued.get(String(key));
      if (own?.operation.op === "put") {
        return structuredClone(own.operation.value);
      }
      if (own?.operation.op === "delete") {
        return undefined;
      }
      await own?.done;
      return (await entry(key))?.value;
    }

    async function set(key, value) {
      const [{ revision }] = await write([putOf(key, value)]);
      return { key: String(key), revision };
    }

    async function remove(key) {
      await write([deleteOf(key)]);
    }

    async function list({ prefix = "" } = {}) {
      await writesDone();
      const found = [];
      for await (const item of entries(prefix)) {
        found.push(item);
      }
      return found;
    }

    async function increment(key, by = 1) {
      const [{ value }] = await write([{ op: "increment", key: String(key), by }]);
      return value;
    }

    // Reads with their revisions and writes in one step; once more from the start if one of them changed meanwhile.
    async function transaction(work) {
      for (let attempt = 1; ; attempt++) {
        await writesDone();
        const checks = new Map();
        const writes = new Map();
        const result = await work({
          async get(key) {
            const written = writes.get(String(key));
            if (written) {
              return structuredClone(written.value);
            }
            const found = await entry(key);
            checks.set(String(key), found?.revision ?? 0);
            return found?.value;
          },
          set: (key, value) => void writes.set(String(key), putOf(key, value)),
          delete: (key) => void writes.set(String(key), deleteOf(key)),
        });
        const operations = [...checks].map(([key, revision]) => ({ op: "check", key, revision }));
        try {
          if (writes.size) {
            await write([...operations, ...writes.values()]);
          }
          return result;
        } catch (error) {
          if (!(error instanceof ConflictError) || attempt === TRANSACTION_ATTEMPTS) {
            throw error;
          }
          await pause(Math.random() * 50 * attempt);
        }
      }
    }

    // Calls back for every later change below *prefix*, this page's own included. Returns the function that ends it.
    function watch(prefix, callback) {
      needContext();
      let known = null; // keys, for telling what was deleted while nobody told us
      const learn = async () => {
        const keys = new Map();
        for await (const item of entries(prefix, false)) {
          keys.set(item.key, item.revision);
        }
        return keys;
      };
      const learned = learn().then(
        (keys) => (known = keys),
        (error) => error instanceof NotGrantedError && console.warn(`Nothing to watch: ${error.message}`),
      );
      return feed().listen({
        change(change) {
          if (change.key.startsWith(prefix)) {
            change.deleted ? known?.delete(change.key) : known?.set(change.key, change.revision);
            callback({ deleted: false, ...change });
          }
        },
        async resync() {
          await learned;
          const items = [];
          for await (const item of entries(prefix)) {
            items.push(item);
          }
          const before = known ?? new Map();
          known = new Map(items.map(({ key, revision }) => [key, revision]));
          for (const item of items) {
            if (before.get(item.key) !== item.revision) {
              callback({ deleted: false, ...item });
            }
          }
          for (const [key, revision] of before) {
            if (!known.has(key)) {
              callback({ key, revision, deleted: true });
            }
          }
        },
      });
    }

    async function usage() {
      const used = await read("/usage");
      const share = Math.max(used.keys / used.max_keys, used.bytes / used.max_bytes);
      return { ...used, share, notice: NOTICES.find((limit) => share >= limit) ?? null };
    }

    return { get, set, delete: remove, list, increment, transaction, watch, usage };
  }

  const own = makeData(`/apps/${context?.app_id}`, {
    post: (operations) =>
      new Promise((resolve, reject) => {
        runtime.outbox.add(Symbol("sdk"), operations, { stored: resolve, failed: (error) => reject(errorOf(error)) });
      }),
    feed: () => runtime.feed,
  });

  // Data of another app, where the person granted it. Without a connection its writes are refused, not kept.

  const others = new Map();

  function of(appId) {
    if (String(appId) === context?.app_id) {
      return own;
    }
    if (!others.has(appId)) {
      others.set(appId, makeOther(String(appId)));
    }
    return others.get(appId);
  }

  function makeOther(appId) {
    const path = `/apps/${encodeURIComponent(appId)}`;
    const refused = (error, verb = "read") => {
      const permission = `data:${appId}:${verb}`;
      const advice =
        `The person has not granted this app "${permission}", or does not have "${appId}". Ask for it in req_permissions` +
        " of manifest.json; they grant it when they install this app, or on its settings page.";
      const details = { ...error.details, required_permission: permission };
      return new NotGrantedError(advice, { code: error.code, status: error.status, details });
    };
    let last = Promise.resolve(); // writes go one after the other
    const post = (operations) => {
      const sent = last.then(() => postBatch(path, operations, refused));
      last = sent.catch(() => {});
      return sent;
    };
    let feed = null;
    const feedOf = () => (feed ??= runtime.feedOf(encodeURIComponent(appId)));
    return Object.freeze(makeData(path, { post, feed: feedOf, refused }));
  }

  // All or nothing; what a deletion does not find is gone already, which is as well.
  async function postBatch(path, operations, refused) {
    if (operations.length === 0) {
      return [];
    }
    const response = await ask(`${path}/batch`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": runtime.randomKey() },
      body: JSON.stringify({ operations }),
    });
    try {
      return (await dataOf(response)).results;
    } catch (error) {
      const index = error.details?.index;
      if (error.status !== 404) {
        throw error;
      }
      if (operations[index]?.op === "delete") {
        return postBatch(path, operations.filter((_, each) => each !== index), refused);
      }
      throw refused(error, operations.some(({ op }) => op === "delete") ? "delete" : "write");
    }
  }

  // Metrics

  async function report(name, value, labels = {}) {
    needContext();
    const response = await runtime.request(`${context.api}/metrics`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name, value, labels }),
      keepalive: true,
    });
    await dataOf(response);
  }

  // What operators decided for this person; *fallback* where they have no such flag, or do not answer.
  async function flag(key, fallback = false) {
    needContext();
    const address = new URL(`/ofrep/v1/evaluate/flags/${encodeURIComponent(key)}`, context.api);
    const response = await runtime.request(address, { method: "POST" }).catch(() => null);
    return response?.ok ? (await response.json()).value : fallback;
  }

  let errorsReported = 0;

  function reportError(kind, error, message, source) {
    if (context && errorsReported < MOST_ERRORS_REPORTED) {
      errorsReported += 1;
      const texts = { kind, message, source, stack: error?.stack, release: context.release };
      const labels = Object.entries(texts).filter(([, text]) => text);
      const short = labels.map(([label, text]) => [label, String(text).slice(0, LABEL_LENGTH)]);
      report("app-error", 1, Object.fromEntries(short)).catch(() => {});
    }
  }

  globalThis.addEventListener?.("error", (event) => {
    if (event instanceof ErrorEvent) {
      reportError("error", event.error, event.message, `${event.filename}:${event.lineno}`);
    }
  });
  globalThis.addEventListener?.("unhandledrejection", ({ reason }) => {
    reportError("rejection", reason, reason?.message ?? String(reason), "");
  });

  const dot = {
    user: context ? Object.freeze({ ...context.user }) : null,
    settings: context ? Object.freeze({ ...context.settings }) : {},
    data: { ...own, of },
    metrics: { report },
    flag,
    DotError,
    ConflictError,
    QuotaError,
    OfflineError,
    NotGrantedError,
  };
  dot.ready = context ? Promise.resolve(dot) : Promise.reject(notOpened());
  dot.ready.catch(() => {}); // an app that never asks need not hear of it
  globalThis.dot = dot;
})();
