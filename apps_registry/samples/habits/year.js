// A year as a calendar: one column a week, one square a day.
import { addDays, dateOf, today } from "./days.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 12;
const SIZE = 10;
const TOP = 24;

/** An `<svg>` of *year*, with the days in the set *kept* filled. */
export function drawYear(year, kept, { locale, sundayFirst, label }) {
  const svg = element("svg", { viewBox: `0 0 ${53 * STEP} ${TOP + 7 * STEP}`, role: "img", "aria-label": label });
  const first = `${year}-01-01`;
  const offset = (dateOf(first).getDay() + (sundayFirst ? 0 : 6)) % 7;
  for (let index = 0, day = first; day.startsWith(`${year}-`); index += 1, day = addDays(day, 1)) {
    const x = Math.floor((index + offset) / 7) * STEP;
    if (day.endsWith("-01")) svg.append(monthName(day, x, locale));
    svg.append(square(day, x, TOP + ((index + offset) % 7) * STEP, kept));
  }
  return svg;
}

function monthName(day, x, locale) {
  const text = element("text", { x, y: TOP - 7, class: "month" });
  text.textContent = dateOf(day).toLocaleDateString(locale, { month: "short" });
  return text;
}

function square(day, x, y, kept) {
  const names = [kept.has(day) && "done", day > today() && "coming", day === today() && "now"];
  const rect = element("rect", { x: x + 1, y, width: SIZE, height: SIZE, rx: 2, class: names.filter(Boolean).join(" ") });
  rect.append(element("title", {}));
  rect.firstChild.textContent = day;
  return rect;
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
