// What the SDK builds on, and the load time that the open page reports.

Object.defineProperty(window, Symbol.for("dot.runtime"), {
  value: { context, request, outbox, feed, randomKey, feedOf: (appId) => new Feed(appId) },
});

let loadedAt = null; // when the app's page was there, in the clock of all pages

function tellLoaded() {
  if (loadedAt) {
    tellParent("loaded", { loadedAt });
  }
}

addEventListener("load", () => {
  loadedAt = performance.timeOrigin + performance.now();
  tellLoaded();
});

// The open page's script may be ready before or after this one.
parentListeners.hello = () => {
  tellLoaded();
  reportedState = "";
  report();
};

document.currentScript.remove(); // the app finds its page as it wrote it
