// Sends samples to POST /api/metrics, without credentials and without waiting for the answer.

const ADDRESS = "/api/metrics";
const MOST_AT_ONCE = 100;

const waiting = new Map();

/** Send samples now. A browser without sendBeacon, or whose queue is full, gets the keepalive fetch. */
export function send(samples) {
  for (let start = 0; start < samples.length; start += MOST_AT_ONCE) {
    const body = JSON.stringify(samples.slice(start, start + MOST_AT_ONCE));
    if (!navigator.sendBeacon?.(ADDRESS, body)) {
      fetch(ADDRESS, { method: "POST", body, keepalive: true, credentials: "omit" }).catch(() => {});
    }
  }
}

/** Keep a sample until the page is hidden or left; the same id again replaces the earlier value. */
export function queue(sample) {
  waiting.set(sample.id, sample);
}

/** How long an app took from the click to being usable, in milliseconds. Sent at once: people stay in an app all day. */
export function reportAppLoad(appId, release, milliseconds) {
  send([{ name: "app-load-time", value: milliseconds, labels: { appId, release }, url: location.pathname }]);
}

function flush() {
  send([...waiting.values()]);
  waiting.clear();
}

addEventListener("visibilitychange", () => document.visibilityState === "hidden" && flush());
addEventListener("pagehide", flush); // Safari does not always tell of being hidden when a page is left
