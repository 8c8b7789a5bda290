// new Worker("worker.js"): an opaque origin may start workers from blob: and data: only, so the worker is a few lines
// that load the app's script, and make relative addresses in it mean what they would have meant.

const NativeWorker = window.Worker;

function AppWorker(url, options) {
  if (new.target === undefined) {
    throw new TypeError("Failed to construct 'Worker': Please use the 'new' operator.");
  }
  const address = new URL(url, document.baseURI).href;
  return new NativeWorker(address.startsWith(bundleAddress) ? wrapped(address, options?.type) : address, options);
}

function wrapped(address, type) {
  const prepare = `(${prepareWorker})(${JSON.stringify(address)});`;
  if (type === "module") {
    // data:, since Chromium refuses modules from blob: here
    const first = `data:text/javascript,${encodeURIComponent(prepare)}`;
    return `data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(first)}; import ${JSON.stringify(address)};`)}`;
  }
  return URL.createObjectURL(new Blob([`${prepare}importScripts(${JSON.stringify(address)});`], { type: "text/javascript" }));
}

// Runs inside the worker, so it may use nothing from out here.
function prepareWorker(address) {
  const absolute = (url) => (typeof url === "string" || url instanceof URL ? new URL(url, address).href : url);
  const { fetch: nativeFetch, Request: NativeRequest, importScripts: nativeImport, EventSource: NativeSource } = self;
  const location = new URL(address);
  Object.defineProperty(self, "location", { value: location, configurable: true });
  self.fetch = (input, init) => nativeFetch(absolute(input), init);
  self.Request = class Request extends NativeRequest {
    constructor(input, init) {
      super(absolute(input), init);
    }
  };
  const { open } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    return open.call(this, method, absolute(`${url}`), ...rest);
  };
  if (nativeImport) {
    self.importScripts = (...urls) => nativeImport(...urls.map((url) => absolute(`${url}`)));
  }
  if (NativeSource) {
    self.EventSource = class EventSource extends NativeSource {
      constructor(url, init) {
        super(absolute(url), init);
      }
    };
  }
}

AppWorker.prototype = NativeWorker.prototype;
Object.defineProperty(AppWorker, "name", { value: "Worker" });
Object.defineProperty(window, "Worker", { value: AppWorker, writable: true, configurable: true });
