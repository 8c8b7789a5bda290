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
