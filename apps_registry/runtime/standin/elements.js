// Images and sounds of the bundle count as foreign in an opaque origin: a canvas or WebGL texture made of them could
// not be read. Asked for with CORS they are the app's own again; the files allow it.

for (const { prototype } of [HTMLImageElement, HTMLMediaElement]) {
  const native = Object.getOwnPropertyDescriptor(prototype, "src");
  Object.defineProperty(prototype, "src", {
    ...native,
    set(url) {
      if (!this.hasAttribute("crossorigin") && isOwnFile(url)) {
        this.crossOrigin = "anonymous";
      }
      native.set.call(this, url);
    },
  });
}

// Browsers refuse `autofocus` in a frame of another origin; the app is what the person opened.
addEventListener("DOMContentLoaded", () => {
  if (document.activeElement === document.body) {
    document.querySelector("[autofocus]")?.focus();
  }
});

// The frame may show the bundle only: any other address would replace the app by the browser's error page. So a link to
// one opens a tab of its own. (Where a script sends the frame cannot be caught: an opaque origin has no `navigate` event.)

const STAYS = new Set(["about:", "blob:", "data:", "javascript:"]);
const leaves = (url) => URL.canParse(url) && !STAYS.has(new URL(url).protocol) && !isOwnFile(url);

addEventListener("click", (event) => {
  const link = event.composedPath().find((each) => each instanceof HTMLAnchorElement || each instanceof HTMLAreaElement);
  if (link && leaves(link.href)) {
    link.target = "_blank";
  }
}, true);
