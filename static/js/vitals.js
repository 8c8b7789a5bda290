// Reports this page's Web Vitals when it is hidden or left.
import { onCLS, onFCP, onINP, onLCP, onTTFB } from "../vendor/web-vitals/web-vitals.js";
import { queue } from "./beacon.js";

const url = location.pathname;

// Without the entries: they hold the page's elements and addresses, and are of no use on the other side.
const report = ({ name, value, delta, id, rating, navigationType }) =>
  queue({ name, value, delta, id, rating, navigationType, url });

for (const observe of [onCLS, onFCP, onINP, onLCP, onTTFB]) observe(report);
