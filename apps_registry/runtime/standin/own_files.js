// Requests of the app for its own files. To an opaque origin they are foreign: mode "same-origin" would refuse them, and
// cookies, of which this frame has none, may not ride along where an answer allows every origin. So neither is asked for.

const isOwnFile = (url) => URL.canParse(url, document.baseURI) && new URL(url, document.baseURI).href.startsWith(bundleAddress);
const needsOrigin = ({ credentials, mode }) => credentials === "include" || mode === "same-origin";
const WITHOUT_ORIGIN = { credentials: "same-origin", mode: "cors" };

window.fetch = {
  fetch(input, ...rest) {
    let [init] = rest;
    let asked = input;
    if (arguments.length && isOwnFile(input?.url ?? input)) {
      asked = input instanceof Request && needsOrigin(input) ? new Request(input, WITHOUT_ORIGIN) : input;
      init = init && needsOrigin(init) ? Object.assign(Object.create(init), WITHOUT_ORIGIN) : init;
    }
    return arguments.length ? nativeFetch(asked, init) : nativeFetch();
  },
}.fetch;

const { open: nativeOpen, send: nativeSend } = NativeRequest.prototype;
const ownRequests = new WeakSet();

Object.assign(NativeRequest.prototype, {
  open(method, url, ...rest) {
    ownRequests[isOwnFile(url) ? "add" : "delete"](this);
    return nativeOpen.call(this, method, url, ...rest);
  },
  send(body) {
    this.withCredentials &&= !ownRequests.has(this);
    return nativeSend.call(this, body);
  },
});
