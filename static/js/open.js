// Around an app's frame: hands fresh tokens in, shows whether the person's work is saved, and reports the load time.

import { reportAppLoad } from "./beacon.js";

const frame = document.getElementById("app-frame");
const bar = document.getElementById("app-bar");
const { appId, release, tokenUrl, csrf, analytics } = bar.dataset;

let isSignedOut = false;

const post = (message) => frame.contentWindow.postMessage(message, "*"); // its origin is opaque; it can only be this app

const answers = {
  async token() {
    try {
      const response = await fetch(tokenUrl, { method: "POST", headers: { "X-CSRFToken": csrf } });
      post({ dot: "token", status: response.status, ...(response.ok ? await response.json() : {}) });
      isSignedOut = response.status === 401 || response.status === 403;
    } catch {
      post({ dot: "token", status: 0 });
    }
  },
  state({ state }) {
    showState(isSignedOut && state !== "saved" ? "signed-out" : state);
  },
  loaded({ loadedAt }) {
    stopWaiting();
    const milliseconds = loadedAt - performance.timeOrigin;
    if (analytics && !answers.hasReported && milliseconds > 0) {
      answers.hasReported = true;
      reportAppLoad(appId, release, milliseconds);
    }
  },
};

addEventListener("message", (event) => {
  if (event.source === frame.contentWindow && Object.hasOwn(answers, event.data?.dot)) {
    answers[event.data.dot](event.data);
  }
});

// "saving" shows only when it takes a moment: most writes are there before anybody could read it.
let pending = 0;

function showState(state) {
  clearTimeout(pending);
  const show = () => {
    for (const element of bar.querySelectorAll("[data-state]")) {
      element.hidden = element.dataset.state !== state;
    }
  };
  if (state === "saving") {
    pending = setTimeout(show, 400);
  } else {
    show();
  }
}

// An app that has not started after a while is not left as an empty window.
const wait = document.getElementById("app-wait");
const waiting = setTimeout(() => {
  wait.hidden = false;
}, 10_000);

function stopWaiting() {
  clearTimeout(waiting);
  wait.hidden = true;
}

const fullScreen = document.getElementById("full-screen");
fullScreen.hidden = !document.fullscreenEnabled;
fullScreen.addEventListener("click", async () => {
  await frame.requestFullscreen();
  frame.focus();
});

frame.addEventListener("load", () => {
  stopWaiting();
  post({ dot: "hello" });
  if (document.activeElement === document.body) {
    frame.focus(); // keys go to the app without a click first
  }
});
post({ dot: "hello" });
