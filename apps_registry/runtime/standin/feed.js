// What changes in the person's entries of this app, wherever it was changed: live over Server-Sent Events, read with
// fetch() since EventSource sends no token; by asking now and then where a proxy does not let streams through.

const POLL_MS = 5_000;
const QUIET_MS = 40_000; // the platform says something every 15 s; after this the connection is dead
const STREAM_ATTEMPTS = 2; // that fail in a row before asking instead
const POLLS_A_STREAM = 12;

class Feed {
  // Of the app's own data, or, as far as the person granted it, of another app's.
  constructor(appId, since = null) {
    this.path = `/apps/${appId}`;
    this.since = since;
    this.listeners = new Set(); // { change(change), resync() }: resync when what happened meanwhile is no longer known
    this.isRunning = false;
    this.isLive = false; // a stream is open
  }

  listen(listener) {
    this.listeners.add(listener);
    if (context?.events_origin && !this.isRunning) {
      this.isRunning = true;
      this.run();
    }
    return () => this.listeners.delete(listener);
  }

  async run() {
    for (let failures = 0; this.listeners.size; ) {
      try {
        if (failures < STREAM_ATTEMPTS || failures % POLLS_A_STREAM === 0) {
          await this.stream().finally(() => (this.isLive = false));
          failures = 0;
        } else {
          await this.poll();
          failures += 1;
        }
      } catch (error) {
        if (error.status === 404 || error.status === 403) {
          break; // uninstalled, or not allowed to read
        }
        failures += 1;
      }
      const wait = failures ? Math.min(FIRST_RETRY_MS * 2 ** failures, POLL_MS) : FIRST_RETRY_MS;
      await pause(wait * Math.random()); // a new version ends everybody's stream at once
    }
    this.isRunning = false;
  }

  // Until the platform ends it (its token ends, a new version starts) or the connection breaks.
  async stream() {
    const controller = new AbortController();
    const address = `${context.events_origin}/api${this.path}/events`;
    const headers = this.since === null ? {} : { "Last-Event-ID": String(this.since) };
    const response = await request(address, { headers, signal: controller.signal });
    if (!(await this.isUsable(response))) {
      return;
    }
    this.isLive = true;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const quiet = setTimeout(() => controller.abort(), QUIET_MS);
      const { value, done } = await reader.read().finally(() => clearTimeout(quiet));
      if (done) {
        return;
      }
      const events = (text + value).split(/\r?\n\r?\n/);
      text = events.pop();
      events.forEach((event) => this.take(event));
    }
  }

  take(event) {
    const lines = event.split(/\r?\n/).filter((line) => line.startsWith("data:"));
    if (lines.length) {
      this.tell(JSON.parse(lines.map((line) => line.slice(5)).join("\n")));
    }
  }

  async poll() {
    for (let more = true; more; ) {
      const response = await request(`${context.api}${this.path}/changes?since=${this.since ?? 0}`);
      if (!(await this.isUsable(response))) {
        return;
      }
      const { data } = await response.json();
      data.items.forEach((change) => this.tell(change));
      this.since = Math.max(this.since, data.items.at(-1)?.revision ?? data.head);
      more = data.more;
    }
  }

  // False after starting anew, because what was missed is no longer kept.
  async isUsable(response) {
    if (response.ok) {
      return true;
    }
    if (response.status !== 410) {
      throw Object.assign(new TypeError(`The feed answers ${response.status}.`), { status: response.status });
    }
    const { error } = await response.json();
    await Promise.all([...this.listeners].map((listener) => listener.resync()));
    this.since = error.details.head; // not before: where a listener could not read everything, it is asked to again
    return false;
  }

  tell(change) {
    if (this.since === null || change.revision > this.since) {
      this.since = change.revision;
      for (const listener of [...this.listeners]) {
        listener.change(change);
      }
    }
  }
}

const feed = new Feed(ownAppId, context?.storage?.revision);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
