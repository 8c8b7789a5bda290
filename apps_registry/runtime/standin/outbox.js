// Changes on their way to the platform: in order, the latest of each key, none lost when the tab closes.
//
// A change leaves at the end of the task that made it, in a request that outlives the page (keepalive). One request is
// under way at a time, so nothing overtakes. Browsers let at most 64 KiB of such requests wait, so half of that may
// be under way and half waiting for pagehide; what would go beyond is sent before setItem() returns, as a browser's
// own localStorage would write it.

const WAITING_BYTES = 30 * 1024;
const BATCH_OPERATIONS = 100;
const BATCH_BYTES = 4 * 1024 * 1024;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 30_000;

class Outbox {
  constructor() {
    this.waiting = new Map(); // key → { operations, bytes }
    this.sending = null; // { changes: Map, stop }
    this.refused = new Map(); // what the platform will not take as it is: over quota, mostly
    this.retryMs = 0; // 0: all is well
    this.retryTimer = 0;
    this.isScheduled = false;
    this.isClosing = false;
  }

  get bytesWaiting() {
    let total = 0;
    for (const change of this.waiting.values()) {
      total += change.bytes;
    }
    return total;
  }

  put(key, operations) {
    this.waiting.delete(key); // the latest change goes last
    this.refused.delete(key);
    this.waiting.set(key, { operations, bytes: sizeOf(operations) });
    if (operations[0].op === "delete" && this.refused.size) {
      this.requeueRefused(); // there may be room again
    }
    if (this.isClosing) {
      this.sendLast();
    } else if (this.retryMs === 0 && this.bytesWaiting > WAITING_BYTES) {
      this.sendNow();
    } else {
      this.schedule();
    }
    report();
  }

  // Keys whose present value is not known to be stored.
  *unconfirmed() {
    yield* this.sending?.changes.keys() ?? [];
    yield* this.waiting.keys();
    yield* this.refused.keys();
  }

  get state() {
    if (this.refused.size) {
      return "refused";
    }
    if (this.retryMs) {
      return "offline";
    }
    return this.sending || this.waiting.size ? "saving" : "saved";
  }

  schedule() {
    if (!this.isScheduled) {
      this.isScheduled = true;
      queueMicrotask(() => {
        this.isScheduled = false;
        this.send();
      });
    }
  }

  async send() {
    if (this.sending || this.retryTimer || this.waiting.size === 0) {
      return;
    }
    const changes = this.take();
    const body = bodyOf(changes);
    const controller = new AbortController();
    const sending = { changes, stop: () => controller.abort() };
    this.sending = sending;
    let answer;
    try {
      const response = await request(`${apiAddress}/batch`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
        keepalive: body.length <= WAITING_BYTES,
        signal: controller.signal,
      });
      answer = { status: response.status, body: parsed(await response.text()), retryAfter: response.headers.get("Retry-After") };
    } catch (error) {
      answer = { status: error.status ?? 0, body: null, retryAfter: null };
    }
    if (this.sending === sending) { // else somebody took it over
      this.sending = null;
      this.settle(changes, answer);
      this.send();
    }
  }

  // Blocks until everything is stored or cannot be at the moment.
  sendNow() {
    this.takeBack();
    while (this.waiting.size && this.retryMs === 0) {
      const changes = this.take();
      this.settle(changes, requestNow("POST", `${apiAddress}/batch`, bodyOf(changes)));
    }
  }

  // The page is closing: no answer will be seen. What is under way goes on by itself, unless it is out of date.
  sendLast() {
    this.isClosing = true;
    if (this.sending && [...this.waiting.keys()].some((key) => this.sending.changes.has(key))) {
      this.takeBack();
    }
    while (this.waiting.size) {
      const body = bodyOf(this.take());
      nativeFetch(`${apiAddress}/batch`, {
        method: "POST",
        headers: authorized({ "Content-Type": "application/json" }),
        body,
        keepalive: true,
      }).catch(() => {});
    }
  }

  take() {
    const changes = new Map();
    let operations = 0;
    let bytes = 0;
    for (const [key, change] of this.waiting) {
      operations += change.operations.length;
      bytes += change.bytes;
      if (changes.size && (operations > BATCH_OPERATIONS || bytes > BATCH_BYTES || this.isOneByOne)) {
        break;
      }
      changes.set(key, change);
      this.waiting.delete(key);
    }
    return changes;
  }

  takeBack() {
    if (this.sending) {
      this.sending.stop();
      this.giveBack(this.sending.changes);
      this.sending = null;
    }
  }

  giveBack(changes) {
    this.waiting = new Map([...changes, ...this.waiting]); // what came later for the same key wins
  }

  settle(changes, { status, body, retryAfter }) {
    if (status >= 200 && status < 300) {
      this.retryMs = 0;
      this.isOneByOne &&= this.waiting.size > 0;
    } else if (status === 0 || status === 401 || status === 408 || status === 429 || (status >= 500 && status !== 507)) {
      this.giveBack(changes);
      this.retryLater(retryAfter);
    } else if (changes.size > 1) {
      this.giveBack(changes);
      this.isOneByOne = true; // all or nothing: find out which one it is
    } else {
      for (const [key, change] of changes) {
        this.refused.set(key, { ...change, code: body?.error?.code ?? String(status) });
      }
    }
    report();
  }

  retryLater(retryAfter) {
    this.retryMs = Math.min(Math.max(this.retryMs * 2, FIRST_RETRY_MS), LAST_RETRY_MS);
    const wait = Math.max(Number(retryAfter) * 1000 || 0, this.retryMs) * (1 + Math.random() / 4);
    this.retryTimer = setTimeout(() => this.retryNow(), wait);
  }

  retryNow() {
    clearTimeout(this.retryTimer);
    this.retryTimer = 0;
    this.send();
  }

  requeueRefused() {
    for (const [key, { operations, bytes }] of this.refused) {
      this.waiting.set(key, { operations, bytes });
    }
    this.refused.clear();
  }
}

function sizeOf(operations) {
  return operations.reduce((total, operation) => total + utf8Bytes(JSON.stringify(operation)) + 1, 0);
}

function bodyOf(changes) {
  return JSON.stringify({ operations: [...changes.values()].flatMap((change) => change.operations) });
}

const outbox = new Outbox();
let sdkState = () => "saved"; // the SDK's own queue, once it is loaded
let reportedState = "";

// The person sees in the bar whether their work is saved.
function report() {
  const order = ["refused", "offline", "saving", "saved"];
  const state = order.find((each) => each === outbox.state || each === sdkState());
  if (state !== reportedState) {
    reportedState = state;
    tellParent("state", { state });
  }
}

if (context) {
  addEventListener("pagehide", () => outbox.sendLast());
  addEventListener("pageshow", () => {
    outbox.isClosing = false;
  });
  addEventListener("online", () => outbox.retryTimer && outbox.retryNow());
}
