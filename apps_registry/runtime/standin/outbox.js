// Changes on their way to the platform: in order, none lost when the tab closes, none applied twice.
//
// A change leaves at the end of the task that made it, in a request that outlives the page (keepalive). One batch is
// under way at a time, so nothing overtakes; until it has an answer it is sent again under the same Idempotency-Key.
// Browsers let at most 64 KiB of keepalive requests be under way. What would not fit together with the one under way
// is sent before setItem() returns, as a browser's own localStorage would write it; so what waits can leave at any time.

const KEEPALIVE_BYTES = 60 * 1024;
const BATCH_OPERATIONS = 100;
const BATCH_BYTES = 4 * 1024 * 1024;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;
const TRY_AGAIN = new Set([0, 401, 408, 425, 429, 500, 502, 503, 504]);

const outbox = {
  waiting: new Map(), // id → change: { id, operations, bytes, stored, failed }
  attempt: null, // what was sent and has no answer yet: { changes, body, key, controller }
  refused: new Map(), // what the platform will not take as it is: over quota, mostly
  retryMs: 0, // 0: all is well
  retryTimer: 0,
  isScheduled: false,
  isOneByOne: false,
  isClosing: false,

  // Queue *operations*. The same *id* again replaces what still waits under it. Then either stored(results) is called,
  // or failed(error); without *failed*, the person is told in the bar that it is not stored.
  add(id, operations, { stored = null, failed = null, isUrgent = false } = {}) {
    this.waiting.delete(id); // the latest goes last
    this.refused.delete(id);
    if (operations.length) {
      this.waiting.set(id, { id, operations, bytes: sizeOf(operations), stored, failed });
    }
    if (this.refused.size && operations.some(({ op }) => op === "delete")) {
      this.waiting = new Map([...this.waiting, ...this.refused]); // there may be room again
      this.refused.clear();
    }
    if (this.isClosing) {
      this.sendLast();
    } else if (isUrgent && this.retryMs === 0 && !this.canLeaveAtOnce()) {
      this.sendNow();
    } else {
      this.schedule();
    }
    report();
  },

  canLeaveAtOnce() {
    return (this.attempt?.bytes ?? 0) + bytesOf(this.waiting.values()) <= KEEPALIVE_BYTES;
  },

  // Changes of which it is not known that they are stored.
  unconfirmed() {
    return [...(this.attempt?.changes ?? []), ...this.waiting.values(), ...this.refused.values()];
  },

  get state() {
    if (this.refused.size) {
      return [...this.refused.values()].every(({ code }) => code === "QUOTA_EXCEEDED") ? "full" : "failed";
    }
    if (this.retryMs) {
      return "offline";
    }
    if (isOutOfReach) {
      return "away"; // nothing waits here; what the app does about it, it says itself
    }
    return this.attempt || this.waiting.size ? "saving" : "saved";
  },

  schedule() {
    if (!this.isScheduled) {
      this.isScheduled = true;
      queueMicrotask(() => {
        this.isScheduled = false;
        this.send();
      });
    }
  },

  async send() {
    if (this.attempt?.controller || this.retryTimer || !this.nextAttempt()) {
      return;
    }
    const { attempt } = this;
    const controller = new AbortController();
    attempt.controller = controller;
    const answer = await post(attempt, controller.signal);
    if (attempt.controller === controller) { // else sendNow() took over
      this.settle(attempt, answer);
      this.send();
    }
  },

  // Blocks until everything is stored, or cannot be at the moment.
  sendNow() {
    this.attempt?.controller?.abort();
    while (this.retryMs === 0 && this.nextAttempt()) {
      this.settle(this.attempt, postNow(this.attempt));
    }
  },

  // The page is closing and no answer will be seen. What is under way goes on by itself; where it is out of date by
  // now, it goes along once more, so that the order of arrival does not matter.
  sendLast() {
    this.isClosing = true;
    const sent = this.attempt?.changes ?? [];
    const isOutOfDate = sent.some(({ id }) => this.waiting.has(id));
    const both = new Map([...sent.map((change) => [change.id, change]), ...this.waiting]);
    if (isOutOfDate && !sent.some(hasIncrement) && this.attempt.bytes + bytesOf(both.values()) <= KEEPALIVE_BYTES) {
      this.attempt.controller?.abort();
      this.waiting = both;
      this.attempt = null;
    }
    for (let changes = this.take(); changes.length; changes = this.take()) {
      post(attemptOf(changes));
    }
  },

  nextAttempt() {
    if (!this.attempt && this.waiting.size) {
      this.attempt = attemptOf(this.take());
    }
    return this.attempt;
  },

  take() {
    const changes = [];
    let operations = 0;
    let bytes = 0;
    for (const change of this.waiting.values()) {
      operations += change.operations.length;
      bytes += change.bytes;
      if (changes.length && (operations > BATCH_OPERATIONS || bytes > BATCH_BYTES || this.isOneByOne)) {
        break;
      }
      changes.push(change);
      this.waiting.delete(change.id);
    }
    return changes;
  },

  settle(attempt, { status, body, retryAfter }) {
    attempt.controller = null;
    if (TRY_AGAIN.has(status)) {
      this.retryLater(retryAfter);
      report();
      return;
    }
    this.attempt = null;
    this.retryMs = 0;
    if (status >= 200 && status < 300) {
      this.isOneByOne &&= this.waiting.size > 0;
      let next = 0;
      for (const { operations, stored } of attempt.changes) {
        stored?.(body.data.results.slice(next, (next += operations.length)), operations);
      }
    } else {
      this.setAside(attempt.changes, status, body);
    }
    report();
  },

  // A batch is all or nothing: the change at fault leaves it, the others go again.
  setAside(changes, status, body) {
    const found = operationAt(changes, body?.error?.details?.index);
    if (status === 404 && found?.operation.op === "delete") {
      this.forgetOperation(changes, found); // it is gone already, which is as well
      return;
    }
    const culprit = changes.length === 1 ? changes[0] : found?.change;
    const others = changes.filter((change) => change !== culprit && !this.waiting.has(change.id));
    this.waiting = new Map([...others.map((change) => [change.id, change]), ...this.waiting]);
    if (!culprit) {
      this.isOneByOne = true; // find out which one it is
    } else if (culprit.failed) {
      culprit.failed({ status, ...body?.error });
    } else if (!this.waiting.has(culprit.id)) {
      this.refused.set(culprit.id, { ...culprit, code: body?.error?.code });
    }
  },

  forgetOperation(changes, { change, operation }) {
    change.operations = change.operations.filter((each) => each !== operation);
    const left = changes.filter(({ id, operations }) => operations.length && !this.waiting.has(id));
    this.waiting = new Map([...left.map((each) => [each.id, each]), ...this.waiting]);
    if (change.operations.length === 0) {
      change.stored?.([], []);
    }
  },

  retryLater(retryAfter) {
    this.retryMs = Math.min(Math.max(this.retryMs * 2, FIRST_RETRY_MS), LAST_RETRY_MS);
    const wait = Math.max(Number(retryAfter) * 1000 || 0, this.retryMs) * (1 + Math.random() / 4);
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.retryNow(), wait);
  },

  retryNow() {
    clearTimeout(this.retryTimer);
    this.retryTimer = 0;
    this.send();
  },
};

const hasIncrement = ({ operations }) => operations.some(({ op }) => op === "increment");

function attemptOf(changes) {
  const operations = changes.flatMap((change) => change.operations);
  operations.filter(({ op }) => op === "put").forEach(({ key }) => maybeStored.add(key));
  return { changes, body: JSON.stringify({ operations }), key: randomKey(), bytes: bytesOf(changes), controller: null };
}

function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("");
}

const headersOf = ({ key }) => ({ "Content-Type": "application/json", "Idempotency-Key": key });

async function post(attempt, signal) {
  try {
    const response = await request(`${apiAddress}/batch`, {
      method: "POST",
      headers: headersOf(attempt),
      body: attempt.body,
      keepalive: attempt.bytes <= KEEPALIVE_BYTES,
      signal,
    });
    return { status: response.status, body: parsed(await response.text()), retryAfter: response.headers.get("Retry-After") };
  } catch (error) {
    return { status: error.status ?? 0 };
  }
}

function postNow(attempt) {
  return requestNow("POST", `${apiAddress}/batch`, attempt.body, headersOf(attempt));
}

function sizeOf(operations) {
  return operations.reduce((total, operation) => total + utf8Bytes(JSON.stringify(operation)) + 1, 0);
}

function bytesOf(changes) {
  let total = 0;
  for (const { bytes } of changes) {
    total += bytes;
  }
  return total;
}

function operationAt(changes, index) {
  const all = changes.flatMap((change) => change.operations.map((operation) => ({ change, operation })));
  return all[index];
}

let reportedState = "";

// The person sees in the bar whether their work is saved.
function report() {
  if (outbox.state !== reportedState) {
    reportedState = outbox.state;
    tellParent("state", { state: reportedState });
  }
}

if (context) {
  addEventListener("pagehide", () => outbox.sendLast());
  addEventListener("pageshow", () => {
    outbox.isClosing = false;
  });
  addEventListener("online", () => outbox.retryTimer && outbox.retryNow());
}
