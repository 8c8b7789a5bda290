// Requests to the platform in the person's name, and the conversation with the open page around the frame.

const nativeFetch = window.fetch.bind(window); // before the app may wrap it
const NativeRequest = window.XMLHttpRequest;
const RENEW_BEFORE_MS = 120_000;
const RENEW_PAUSE_MS = 60_000; // at least, whatever this machine's clock believes
const RENEW_TIMEOUT_MS = 15_000;

const apiAddress = `${context?.api}/apps/${ownAppId}`;
const parentListeners = {}; // by the message's kind

function tellParent(kind, members = {}) {
  if (context) {
    window.parent.postMessage({ dot: kind, ...members }, platformOrigin);
  }
}

addEventListener("message", (event) => {
  if (context && event.source === window.parent && event.origin === platformOrigin && event.data?.dot) {
    event.stopImmediatePropagation(); // not the app's business
    parentListeners[event.data.dot]?.(event.data);
  }
});

let renewal = null;

// The open page asks with the person's session; this frame has none.
function renewToken() {
  renewal ??= new Promise((resolve, reject) => {
    const timeout = setTimeout(() => reject(new TypeError("The open page does not answer.")), RENEW_TIMEOUT_MS);
    parentListeners.token = ({ token, expires_at: expiresAt, status }) => {
      clearTimeout(timeout);
      if (token) {
        Object.assign(context, { token, expires_at: expiresAt });
        scheduleRenewal();
        resolve();
      } else {
        reject(Object.assign(new TypeError("No new token."), { status }));
      }
    };
    tellParent("token");
  }).finally(() => {
    renewal = null;
  });
  return renewal;
}

let renewalTimer = 0;
let renewableAt = 0;

const msUntilRenewal = () => Date.parse(context.expires_at) - Date.now() - RENEW_BEFORE_MS;

function scheduleRenewal() {
  clearTimeout(renewalTimer);
  renewableAt = Date.now() + RENEW_PAUSE_MS;
  renewalTimer = setTimeout(() => renewToken().catch(() => {}), Math.max(msUntilRenewal(), RENEW_PAUSE_MS));
}

if (context) {
  scheduleRenewal();
  addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && msUntilRenewal() < 0 && Date.now() > renewableAt) {
      renewToken().catch(() => {}); // timers stand still while a laptop sleeps
    }
  });
}

function authorized(headers = {}) {
  return { ...headers, Authorization: `Bearer ${context.token}` };
}

let isOutOfReach = false; // the last request found nobody

function noteReach(isReached) {
  if (isOutOfReach === isReached) {
    isOutOfReach = !isReached;
    report();
  }
}

async function reaching(url, options) {
  try {
    const response = await nativeFetch(url, options);
    noteReach(true);
    return response;
  } catch (error) {
    if (error.name !== "AbortError" && !url.endsWith("/events")) { // where streams are blocked, the rest may work
      noteReach(false);
    }
    throw error;
  }
}

// fetch() with the token, which is renewed once where it turns out to have ended. Rejects as fetch does.
async function request(url, { headers, ...options } = {}) {
  const send = () => reaching(url, { ...options, headers: authorized(headers) });
  const response = await send();
  if (response.status !== 401) {
    return response;
  }
  await renewToken();
  return send();
}

// The same, but returns only when the answer is there: { status, body, retryAfter }, status 0 without a connection.
function requestNow(method, url, body = null, headers = {}) {
  const xhr = new NativeRequest();
  try {
    xhr.open(method, url, false);
    for (const [name, value] of Object.entries(authorized(headers))) {
      xhr.setRequestHeader(name, value);
    }
    xhr.send(body);
  } catch {
    return { status: 0, body: null, retryAfter: null };
  }
  return { status: xhr.status, body: parsed(xhr.responseText), retryAfter: xhr.getResponseHeader("Retry-After") };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
