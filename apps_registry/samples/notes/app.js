// Each note is one entry, `notes/<id>`: {text, created, edited, pinned, version}. The first line is its title.
// `version` is new with every save. A save that finds another version than its text began with keeps both: what
// somebody wrote on another device meanwhile becomes a note of its own. What is not being written here follows live.
const SAVE_AFTER_MS = 400;
const UNDO_FOR_MS = 10_000;

const WORDS = {
  en: {
    notes: "Notes", new: "New note", search: "Search", back: "All notes", text: "Note", pin: "Pin",
    delete: "Delete note", deleted: "Note deleted", undo: "Undo", untitled: "New note", more: "No more text",
    saving: "Saving …", saved: "Saved", failed: "Not saved. Trying again …",
    placeholder: "Write something. It saves by itself.", empty: "No notes yet.", none: "Nothing found.",
  },
  ko: {
    notes: "메모", new: "새 메모", search: "검색", back: "모든 메모", text: "메모 내용", pin: "고정",
    delete: "메모 삭제", deleted: "메모를 삭제했습니다", undo: "되돌리기", untitled: "새 메모", more: "추가 내용 없음",
    saving: "저장하는 중 …", saved: "저장됨", failed: "저장하지 못했습니다. 다시 시도합니다 …",
    placeholder: "적어 보세요. 저절로 저장됩니다.", empty: "아직 메모가 없습니다.", none: "찾은 메모가 없습니다.",
  },
};

const $ = (id) => document.getElementById(id);
const notes = new Map(); // id → note
const unsaved = new Set(); // ids to write
const writing = new Set(); // ids being written
const basis = new Map(); // id → the version that the text here began with
const missed = new Set(); // ids that changed elsewhere while we wrote
let current = null; // the id on the desk
let timer = 0;
let saving = Promise.resolve(); // the writes under way
let removed = null; // what Undo brings back

await dot.ready;
const locale = dot.user.locale;
const say = WORDS[locale.slice(0, 2)] ?? WORDS.en;
document.documentElement.lang = say === WORDS.ko ? "ko" : "en";
document.title = say.notes;
for (const element of document.querySelectorAll("[data-say]")) element.textContent = say[element.dataset.say];
for (const element of document.querySelectorAll("[data-say-label]")) element.ariaLabel = say[element.dataset.sayLabel];
$("search").placeholder = say.search;
$("text").placeholder = say.placeholder;

for (const { key, value } of await dot.data.list({ prefix: "notes/" })) take(key.slice(6), value);
show(inOrder()[0]?.[0] ?? newNote());
document.body.classList.toggle("writing", notes.get(current).text === "");
dot.data.watch("notes/", ({ key, value, deleted }) => {
  const id = key.slice(6);
  if (unsaved.has(id) || writing.has(id)) missed.add(id);
  else if (deleted) drop(id);
  else follow(id, value);
});

// Showing

function inOrder() {
  return [...notes].sort(([, a], [, b]) => (b.pinned ?? false) - (a.pinned ?? false) || b.edited.localeCompare(a.edited));
}

function show(id) {
  current = id;
  const note = notes.get(id);
  $("text").value = note.text;
  $("pin").ariaPressed = String(note.pinned ?? false);
  $("state").textContent = "";
  list();
}

function list() {
  const wanted = $("search").value.trim().toLocaleLowerCase(locale);
  const found = inOrder().filter(([, note]) => note.text.toLocaleLowerCase(locale).includes(wanted));
  const focused = document.activeElement.dataset.id;
  $("list").replaceChildren(...found.map(([id, note]) => row(id, note)));
  if (focused) focusRow(focused); // the rows are made anew
  $("nothing").hidden = found.length > 0;
  $("nothing").textContent = wanted ? say.none : say.empty;
}

function focusRow(id) {
  ($("list").querySelector(`[data-id="${id}"]`) ?? $("new")).focus({ preventScroll: true });
}

function row(id, note) {
  const [title, ...rest] = note.text.trim().split("\n");
  const item = document.createElement("li");
  const button = item.appendChild(document.createElement("button"));
  button.type = "button";
  button.dataset.id = id;
  button.appendChild(document.createElement("strong")).textContent = title || say.untitled;
  button.appendChild(document.createElement("span")).textContent =
    `${when(note.edited)} · ${rest.join(" ").trim().slice(0, 80) || say.more}`;
  button.onclick = () => open(id);
  item.classList.toggle("pinned", note.pinned ?? false);
  if (id === current) item.ariaCurrent = "true";
  return item;
}

function when(iso) {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(locale, today ? { timeStyle: "short" } : { month: "short", day: "numeric" });
}

// Following other devices

// An entry that somebody edited by hand in My data may lack anything.
function take(id, note) {
  notes.set(id, { edited: "1970-01-01T00:00:00Z", ...note, text: String(note?.text ?? "") });
  basis.set(id, note?.version);
}

function follow(id, note) {
  take(id, note);
  if (id === current && $("text").value !== note.text) {
    const { selectionStart, selectionEnd } = $("text");
    $("text").value = note.text;
    $("text").setSelectionRange(selectionStart, selectionEnd);
  }
  list();
}

function drop(id) {
  notes.delete(id);
  basis.delete(id);
  if (id === current) show(inOrder()[0]?.[0] ?? newNote());
  list();
}

// Writing

function newId() {
  return Date.now().toString(36) + Math.random().toString(36).slice(2, 6);
}

function newNote() {
  const id = newId();
  const now = new Date().toISOString();
  notes.set(id, { text: "", created: now, edited: now });
  return id; // becomes an entry with its first letter
}

function open(id) {
  forgetIfEmpty();
  show(id);
  document.body.classList.add("writing");
  const isToRead = notes.get(id).text && !matchMedia("(pointer: fine)").matches; // a phone's keyboard would hide half of it
  (isToRead ? $("back") : $("text")).focus();
}

function forgetIfEmpty() {
  const note = notes.get(current);
  if (note && note.text === "" && !unsaved.has(current)) notes.delete(current);
}

function change(fields) {
  notes.set(current, { ...notes.get(current), ...fields });
  unsaved.add(current);
  $("state").textContent = say.saving;
  clearTimeout(timer);
  timer = setTimeout(save, SAVE_AFTER_MS);
  list();
}

async function save() {
  clearTimeout(timer);
  const ids = [...unsaved];
  unsaved.clear();
  ids.forEach((id) => writing.add(id));
  saving = Promise.all(ids.map(store));
  try {
    await saving;
    if (!unsaved.size) $("state").textContent = ids.length ? say.saved : "";
  } catch {
    ids.forEach((id) => unsaved.add(id));
    $("state").textContent = say.failed;
    timer = setTimeout(save, 3000);
  }
  ids.forEach((id) => writing.delete(id));
  for (const id of ids.filter((id) => missed.delete(id) && !unsaved.has(id))) {
    const note = await dot.data.get(`notes/${id}`);
    if (note && !unsaved.has(id)) follow(id, note);
  }
}

async function store(id) {
  if (!notes.has(id)) return;
  const note = { ...notes.get(id), version: newId() };
  await dot.data.transaction(async (entries) => {
    const there = await entries.get(`notes/${id}`);
    const isForeign = there && there.version !== basis.get(id) && there.text !== note.text;
    if (isForeign) entries.set(`notes/${newId()}`, there);
    entries.set(`notes/${id}`, note);
  });
  basis.set(id, note.version);
}

// The page goes: there is no time to look first.
function saveAtOnce() {
  clearTimeout(timer);
  for (const id of unsaved) {
    const note = { ...notes.get(id), version: newId() };
    basis.set(id, note.version);
    dot.data.set(`notes/${id}`, note);
  }
  unsaved.clear();
}

async function remove() {
  const id = current;
  removed = { id, note: notes.get(id) };
  notes.delete(id);
  unsaved.delete(id);
  show(inOrder()[0]?.[0] ?? newNote());
  document.body.classList.remove("writing");
  focusRow(current);
  $("toast").hidden = removed.note.text === "";
  setTimeout(() => ($("toast").hidden ||= removed?.id === id), UNDO_FOR_MS);
  await saving.catch(() => {}); // a write that arrives after the deletion would bring the note back
  if (!notes.has(id) && basis.delete(id)) await dot.data.delete(`notes/${id}`); // it had been stored
}

// What people do

$("new").onclick = () => {
  $("search").value = "";
  open(newNote());
};
$("text").oninput = () => change({ text: $("text").value, edited: new Date().toISOString() });
$("pin").onclick = () => {
  change({ pinned: !notes.get(current).pinned });
  $("pin").ariaPressed = String(notes.get(current).pinned);
};
$("delete").onclick = remove;
$("undo").onclick = () => {
  notes.set(removed.id, removed.note);
  $("toast").hidden = true;
  open(removed.id);
  change({});
};
$("back").onclick = () => {
  forgetIfEmpty();
  document.body.classList.remove("writing");
  list();
  focusRow(current);
};
$("search").oninput = list;
document.onkeydown = (event) => {
  if (event.isComposing) return;
  if (event.key === "Escape") ($("search").value = ""), $("back").click();
  const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey) && !event.target.matches("textarea, input");
  if (isUndo && !$("toast").hidden) event.preventDefault(), $("undo").click();
  if (event.key === "/" && event.target === document.body) event.preventDefault(), $("search").focus();
};
document.onvisibilitychange = () => document.visibilityState === "hidden" && saveAtOnce();
window.onpagehide = saveAtOnce;
