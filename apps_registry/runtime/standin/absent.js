// What a sandboxed page does not have. The browser leaves the names there and throws when they are used, which stops
// apps that ask `"serviceWorker" in navigator` first; without the names they go on without the feature.

for (const name of ["indexedDB", "caches", "cookieStore"]) {
  delete window[name];
}
delete Navigator.prototype.serviceWorker;

// As in a browser with cookies switched off.
Object.defineProperty(document, "cookie", { get: () => "", set: () => {}, configurable: true });
Object.defineProperty(Navigator.prototype, "cookieEnabled", { get: () => false, configurable: true });
