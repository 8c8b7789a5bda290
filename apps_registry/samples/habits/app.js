// A habit is `habits/<id>`: {name, created}; the days it was kept are one entry a month, `days/<id>/<YYYY-MM>`: [1, 2, 5].
// So two devices that tick different months never meet, and a year costs twelve small entries.
import { drawYear } from "./year.js";
import { addDays, dateOf, streaks, today } from "./days.js";

const UNDO_FOR_MS = 10_000;
const WORDS = {
  en: {
    title: "Habit tracker", before: "Previous year", after: "Next year", name: "New habit, for example a walk",
    add: "Add", rename: "Name of the habit", empty: "Start with one small thing you want to do every day.",
    removed: "Habit removed", undo: "Undo", remove: (name) => `Remove ${name}`,
    earlier: "Earlier days", later: "Later days", streak: (n) => (n === 1 ? " day in a row" : " days in a row"),
    best: (n) => `best ${n}`, year: (name, year, n) => `${name}: ${n} ${n === 1 ? "day" : "days"} in ${year}`,
  },
  ko: {
    title: "습관 기록", before: "이전 해", after: "다음 해", name: "새 습관 (예: 산책)",
    add: "추가", rename: "습관 이름", empty: "매일 하고 싶은 작은 일 하나로 시작하세요.",
    removed: "습관을 지웠습니다", undo: "되돌리기", remove: (name) => `${name} 지우기`,
    earlier: "이전 날짜", later: "다음 날짜", streak: () => "일 연속",
    best: (n) => `최고 ${n}일`, year: (name, year, n) => `${name}: ${year}년에 ${n}일`,
  },
};

const $ = (id) => document.getElementById(id);
const habits = new Map(); // id → {name, created}
const days = new Map(); // id → Set of "2026-11-23"
let year = Number(today().slice(0, 4));
let shift = 0; // how many weeks back the seven buttons show
let removed = null;
let saving = Promise.resolve(); // one write after the other, in the order of the clicks
let writes = 0; // on their way; what comes back meanwhile is older than what is here

await dot.ready;
const locale = dot.user.locale;
const say = WORDS[locale.slice(0, 2)] ?? WORDS.en;
const sundayFirst = dot.settings.weekStart === "sunday";
document.documentElement.lang = say === WORDS.ko ? "ko" : "en";
document.title = say.title;
for (const element of document.querySelectorAll("[data-say]")) element.textContent = say[element.dataset.say];
for (const element of document.querySelectorAll("[data-say-label]")) element.ariaLabel = say[element.dataset.sayLabel];
$("name").placeholder = say.name;

for (const { key, value } of await dot.data.list()) take(key, value);
show();
dot.data.watch("", ({ key, value }) => writes || (take(key, value), show()));

// Showing

function show() {
  const { activeElement: was } = document;
  const inOrder = [...habits].sort(([, a], [, b]) => a.created.localeCompare(b.created));
  $("year").textContent = year;
  $("after").disabled = year >= Number(today().slice(0, 4));
  $("empty").hidden = habits.size > 0;
  $("habits").replaceChildren(...inOrder.map(([id, habit]) => card(id, habit)));
  if (was.dataset.part) focusAgain(was, `[data-id="${was.closest("article").dataset.id}"] [data-part="${was.dataset.part}"]`);
}

/** The cards are made anew: what had the focus has it again, with what was typed. */
function focusAgain(was, selector) {
  const now = document.querySelector(selector);
  if (now && was.value) now.value = was.value;
  (now?.disabled ? now.closest(".week").firstChild : now)?.focus({ preventScroll: true });
}

function card(id, habit) {
  const kept = days.get(id) ?? days.set(id, new Set()).get(id);
  const article = document.createElement("article");
  article.dataset.id = id;
  article.ariaLabel = habit.name;
  article.append(head(id, habit, streaks(kept)), week(id, kept));
  const count = [...kept].filter((day) => day.startsWith(`${year}-`)).length;
  article.append(drawYear(year, kept, { locale, sundayFirst, label: say.year(habit.name, year, count) }));
  return article;
}

function head(id, habit, { current, best }) {
  const header = document.createElement("header");
  const name = header.appendChild(document.createElement("h2")).appendChild(document.createElement("input"));
  name.value = habit.name;
  name.ariaLabel = say.rename;
  name.maxLength = 60;
  name.dataset.part = "name";
  name.onchange = () => {
    if (name.value.trim()) keep(id, { ...habit, name: name.value.trim() });
    setTimeout(show); // once the focus is where it was going
  };
  name.onkeydown = (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") name.value = habit.name;
    if (event.key === "Escape" || event.key === "Enter") name.blur();
  };
  const score = header.appendChild(document.createElement("p"));
  score.className = "score";
  score.appendChild(document.createElement("strong")).textContent = current;
  score.append(`${say.streak(current)} · ${say.best(best)}`);
  header.append(button("remove", "×", say.remove(habit.name), () => remove(id)));
  return header;
}

function week(id, kept) {
  const row = document.createElement("div");
  row.className = "week";
  const last = addDays(today(), -7 * shift);
  row.append(button("earlier", "‹", say.earlier, () => ((shift += 1), show())));
  for (let back = 6; back >= 0; back -= 1) row.append(dayButton(id, addDays(last, -back), kept));
  row.append(button("later", "›", say.later, () => ((shift -= 1), show())));
  row.lastChild.disabled = shift === 0;
  return row;
}

function dayButton(id, day, kept) {
  const date = dateOf(day);
  const done = kept.has(day);
  const label = date.toLocaleDateString(locale, { weekday: "long", month: "long", day: "numeric" });
  const element = button(day, "", label, () => tick(id, day, !done));
  element.className = day === today() ? "today" : "";
  element.ariaPressed = String(done);
  element.dataset.day = day;
  const weekday = date.toLocaleDateString(locale, { weekday: "short" });
  element.appendChild(document.createElement("small")).textContent = weekday;
  element.append(String(date.getDate()));
  return element;
}

function button(part, text, label, onclick) {
  const element = document.createElement("button");
  Object.assign(element, { type: "button", className: "plain icon", textContent: text, ariaLabel: label, onclick });
  element.dataset.part = part;
  return element;
}

// Keeping

// What an entry says, at the start or when another device changed it; undefined: it is gone.
function take(key, value) {
  const [kind, id, month] = key.split("/");
  if (kind === "habits" && value) habits.set(id, value);
  if (kind === "habits" && !value) habits.delete(id);
  if (kind !== "days") return;
  const others = [...(days.get(id) ?? [])].filter((day) => !day.startsWith(month));
  const kept = (value ?? []).map((day) => `${month}-${String(day).padStart(2, "0")}`);
  days.set(id, new Set([...others, ...kept]));
}

function write(action) {
  writes += 1;
  saving = saving.then(action).catch(() => {}).finally(() => (writes -= 1));
}

function keep(id, habit) {
  habits.set(id, habit);
  write(() => dot.data.set(`habits/${id}`, habit));
}

function tick(id, day, done) {
  days.get(id)[done ? "add" : "delete"](day);
  show();
  storeMonth(id, day.slice(0, 7));
}

function storeMonth(id, month) {
  const kept = [...days.get(id)].filter((day) => day.startsWith(month)).map((day) => Number(day.slice(8)));
  const key = `days/${id}/${month}`;
  write(() => (kept.length ? dot.data.set(key, kept.sort((a, b) => a - b)) : dot.data.delete(key)));
}

function monthsOf(id) {
  return new Set([...days.get(id)].map((day) => day.slice(0, 7)));
}

function remove(id) {
  removed = { id, habit: habits.get(id), days: days.get(id) };
  for (const month of monthsOf(id)) write(() => dot.data.delete(`days/${id}/${month}`));
  write(() => dot.data.delete(`habits/${id}`));
  habits.delete(id);
  $("toast").hidden = false;
  setTimeout(() => ($("toast").hidden ||= removed?.id === id), UNDO_FOR_MS);
  const card = document.querySelector(`[data-id="${id}"]`);
  const near = (card.nextElementSibling ?? card.previousElementSibling)?.dataset.id;
  show();
  (document.querySelector(`[data-id="${near}"] [data-part="remove"]`) ?? $("name")).focus();
}

// What people do

$("add").onsubmit = (event) => {
  event.preventDefault();
  const name = $("name").value.trim();
  if (!name) return;
  const id = Date.now().toString(36) + Math.random().toString(36).slice(2, 6);
  days.set(id, new Set());
  keep(id, { name, created: new Date().toISOString() });
  $("name").value = "";
  show();
};
$("undo").onclick = () => {
  days.set(removed.id, removed.days);
  keep(removed.id, removed.habit);
  monthsOf(removed.id).forEach((month) => storeMonth(removed.id, month));
  $("toast").hidden = true;
  show();
  document.querySelector(`[data-id="${removed.id}"] [data-part="remove"]`).focus();
};
document.onkeydown = (event) => {
  const isTyping = event.target.tagName === "INPUT";
  if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || isTyping || $("toast").hidden) return;
  event.preventDefault();
  $("undo").click();
};
$("before").onclick = () => ((year -= 1), show());
$("after").onclick = () => ((year += 1), show());
// A new day begins while the app stays open.
let shown = today();
document.onvisibilitychange = () => shown !== today() && ((shown = today()), show());
