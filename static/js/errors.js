// Counts this page's own uncaught errors, as the SDK does for apps. A page that fails in a loop tells of it ten times.
import { send } from "./beacon.js";

let left = 10;

function report(kind, error, source) {
  if (left-- <= 0) return;
  const short = (text) => String(text ?? "").slice(0, 256);
  const labels = { kind, message: short(error?.message ?? error), source: short(source), stack: short(error?.stack) };
  send([{ name: "app-error", value: 1, labels, url: location.pathname }]);
}

addEventListener("error", (event) => {
  // Without its query string: what people typed may stand there.
  if (event.message) report("error", event.error ?? event.message, `${event.filename.split("?")[0]}:${event.lineno}`);
});
addEventListener("unhandledrejection", (event) => report("rejection", event.reason, ""));
