// Days are text like "2026-11-23", in the person's own time zone, so that they sort and compare as they are.

export function today() {
  return dayOf(new Date());
}

export function dayOf(date) {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

export function dateOf(day) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date);
}

export function addDays(day, count) {
  const date = dateOf(day);
  date.setDate(date.getDate() + count);
  return dayOf(date);
}

/** How many days in a row up to now (today may still come), and the longest row ever. */
export function streaks(kept) {
  let best = 0;
  for (const day of kept) {
    if (!kept.has(addDays(day, -1))) best = Math.max(best, rowFrom(kept, day, 1));
  }
  const end = kept.has(today()) ? today() : addDays(today(), -1);
  return { current: rowFrom(kept, end, -1), best };
}

function rowFrom(kept, day, step) {
  let length = 0;
  for (let each = day; kept.has(each); each = addDays(each, step)) length += 1;
  return length;
}
