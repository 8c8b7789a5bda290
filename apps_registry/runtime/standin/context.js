// What the open page told this frame, by its name: { app_id, token, api, user, settings, storage, … }. null anywhere
// else (a page opened by its address, a frame inside the app's own page): then storage lasts as long as the page.
//
// The name is the one thing that is there before the first script, survives a move to another page of the bundle, and
// can be read in a sandbox. Apps see an empty window.name of their own instead.

const nativeName = Object.getOwnPropertyDescriptor(window, "name");
const [, , ownAppId, ownRelease] = location.pathname.split("/");
const bundleAddress = `${location.origin}/run/${ownAppId}/${ownRelease}/`;
const platformOrigin = PLATFORM_ORIGIN || location.origin;

const context = readContext();
const carried = context?.carried ?? {}; // from the page of this bundle that was in the frame before

// Members that the next page in this frame will find: a function each, called when this page is left.
const carriers = {};

function readContext() {
  if (window.parent === window || !isInsidePlatform()) {
    return null;
  }
  try {
    const read = JSON.parse(window.name);
    return read.app_id === ownAppId ? read : null;
  } catch {
    return null;
  }
}

// Somebody else's page could put a token of their own into the name, and so receive what people type.
function isInsidePlatform() {
  if (location.ancestorOrigins) {
    return location.ancestorOrigins[0] === platformOrigin;
  }
  const referrer = document.referrer; // the open page, or an earlier page of the bundle
  return referrer.startsWith(`${platformOrigin}/`) || referrer.startsWith(bundleAddress);
}

// pagehide would be too late: by then the next page may have read the name.
function carryOver() {
  const members = Object.fromEntries(Object.entries(carriers).map(([name, collect]) => [name, collect()]));
  const { storage = null, ...rest } = members;
  nativeName.set.call(window, JSON.stringify({ ...context, storage, carried: rest }));
}

let isLeaving = false;

if (context) {
  let appName = carried.name ?? "";
  Object.defineProperty(window, "name", {
    get: () => appName,
    set: (value) => {
      appName = String(value);
    },
    enumerable: true,
    configurable: true,
  });
  carriers.name = () => appName;
  nativeName.set.call(window, JSON.stringify({ ...context, storage: null, carried: {} })); // no snapshot twice
  addEventListener("beforeunload", () => {
    isLeaving = true;
    carryOver();
    setTimeout(() => {
      isLeaving = false; // it was a download, or the person stayed
    }, 1000);
  });
}
