// An ordinary static web app: each task is one item of localStorage, `task/<id>`: {text, done, order}.
// Nothing here knows where it runs.

const WORDS = {
  en: {
    tasks: "Tasks", what: "What is next?", add: "Add", finished: "Done", clear: "Remove finished tasks", undo: "Undo",
    left: (n) => (n === 1 ? "1 task left" : `${n} tasks left`), empty: "Nothing to do. Enjoy it.",
    done: (text) => `Done: ${text}`, text: "Task", remove: (text) => `Remove ${text}`, removed: "Task removed",
    cleared: (n) => (n === 1 ? "1 task removed" : `${n} tasks removed`),
    move: (text) => `Move ${text}: arrow keys up and down`,
  },
  ko: {
    tasks: "할 일", what: "다음에 할 일은?", add: "추가", finished: "끝낸 일", clear: "끝낸 일 모두 지우기", undo: "되돌리기",
    left: (n) => `${n}개 남음`, empty: "할 일이 없습니다. 여유를 즐기세요.",
    done: (text) => `끝냄: ${text}`, text: "할 일", remove: (text) => `${text} 지우기`, removed: "할 일을 지웠습니다",
    cleared: (n) => `${n}개를 지웠습니다`, move: (text) => `${text} 옮기기: 위아래 화살표 키`,
  },
};
const PREFIX = "task/";
const UNDO_FOR_MS = 10_000;

const $ = (id) => document.getElementById(id);
const say = navigator.language.startsWith("ko") ? WORDS.ko : WORDS.en;
let removed = []; // what Undo brings back
let forgetting = 0;

document.documentElement.lang = say === WORDS.ko ? "ko" : "en";
document.title = say.tasks;
for (const element of document.querySelectorAll("[data-say]")) element.textContent = say[element.dataset.say];
$("what").ariaLabel = $("what").placeholder = say.what;
$("empty").textContent = say.empty;

// Storage

function all() {
  const tasks = [];
  for (let index = 0; index < localStorage.length; index += 1) {
    const key = localStorage.key(index);
    if (key.startsWith(PREFIX)) tasks.push({ id: key.slice(PREFIX.length), ...JSON.parse(localStorage.getItem(key)) });
  }
  return tasks.sort((a, b) => a.order - b.order);
}

function store({ id, ...task }) {
  localStorage.setItem(PREFIX + id, JSON.stringify(task));
}

function remove(tasks, message) {
  tasks.forEach(({ id }) => localStorage.removeItem(PREFIX + id));
  removed = tasks;
  $("said").textContent = message;
  $("toast").hidden = false;
  clearTimeout(forgetting);
  forgetting = setTimeout(() => ($("toast").hidden = true), UNDO_FOR_MS);
  show();
}

// Showing. A task's row stays the same element for as long as the task is there, and so do focus and half a word.

function show() {
  const tasks = all();
  const open = tasks.filter((task) => !task.done);
  const done = tasks.filter((task) => task.done);
  place($("open"), open);
  place($("done"), done);
  $("finished").hidden = done.length === 0;
  $("count").textContent = done.length;
  $("empty").hidden = open.length > 0;
  $("left").textContent = tasks.length ? say.left(open.length) : "";
  $("progress").value = done.length;
  $("progress").max = tasks.length || 1;
}

function place(list, tasks) {
  const items = tasks.map((task) => fill(rowOf(task.id) ?? row(task.id), task));
  [...list.children].forEach((item) => items.includes(item) || item.remove());
  items.forEach((item, index) => list.children[index] === item || list.insertBefore(item, list.children[index] ?? null));
}

function rowOf(id) {
  return document.querySelector(`[data-id="${id}"]`);
}

function row(id) {
  const item = document.createElement("li");
  item.dataset.id = id;
  item.append(tick(item), text(item), grip(item), cross(item));
  return item;
}

function fill(item, task) {
  const [box, field, handle, remover] = item.querySelectorAll("input, textarea, button");
  box.checked = task.done;
  box.ariaLabel = say.done(task.text);
  if (field !== document.activeElement) field.value = task.text;
  handle.hidden = task.done;
  handle.ariaLabel = say.move(task.text);
  remover.ariaLabel = say.remove(task.text);
  return item;
}

function taskOf({ dataset: { id } }) {
  return { id, ...JSON.parse(localStorage.getItem(PREFIX + id)) };
}

/** Where the keyboard goes on once *item* has left its list: the same *part* of its neighbour. */
function goOnFrom(item, part) {
  const near = item.nextElementSibling ?? item.previousElementSibling;
  return () => (near?.querySelector(part) ?? ($("finished").hidden ? $("what") : $("finished").firstElementChild)).focus();
}

function tick(item) {
  const label = document.createElement("label");
  const box = label.appendChild(document.createElement("input"));
  box.type = "checkbox";
  box.onchange = () => {
    const goOn = goOnFrom(item, "[type=checkbox]");
    store({ ...taskOf(item), done: box.checked });
    show();
    goOn();
  };
  return label;
}

function text(item) {
  const field = document.createElement("textarea");
  field.className = "text";
  field.rows = 1;
  field.ariaLabel = say.text;
  field.maxLength = 500;
  field.onchange = () => {
    const words = field.value.trim().replace(/\s+/g, " ");
    if (words) store({ ...taskOf(item), text: words });
    field.value = taskOf(item).text;
    show();
  };
  field.onkeydown = (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") field.value = taskOf(item).text;
    if (event.key === "Escape" || event.key === "Enter") event.preventDefault(), field.blur();
  };
  return field;
}

function button(className, textContent) {
  return Object.assign(document.createElement("button"), { type: "button", className, textContent });
}

function cross(item) {
  const element = button("plain icon", "×");
  element.onclick = () => {
    const goOn = goOnFrom(item, "button:last-child");
    remove([taskOf(item)], say.removed);
    goOn();
  };
  return element;
}

// Order: by keyboard and by finger or mouse. The others move around the row, which keeps focus and finger.

function grip(item) {
  const element = button("plain icon grip", "⠿");
  const move = { ArrowUp: () => item.previousElementSibling, ArrowDown: () => item.nextElementSibling };
  element.onkeydown = (event) => {
    if (!move[event.key]) return;
    event.preventDefault();
    passTo(item, move[event.key]());
    keepOrder();
    element.scrollIntoView({ block: "nearest" });
  };
  element.onpointerdown = (event) => {
    element.setPointerCapture(event.pointerId);
    item.classList.add("dragged");
    element.onpointermove = ({ clientY }) => {
      const place = [...$("open").children].find((other) => clientY < other.getBoundingClientRect().bottom);
      if (place && wouldStayUnder(clientY, item, place)) passTo(item, place);
    };
    element.onlostpointercapture = () => {
      element.onpointermove = null;
      item.classList.remove("dragged");
      keepOrder();
    };
  };
  return element;
}

function isBelow(item, place) {
  return item.compareDocumentPosition(place) & Node.DOCUMENT_POSITION_FOLLOWING;
}

/** Whether the finger would be on *item* once it has passed *place*, which may be taller: else the two would flicker. */
function wouldStayUnder(clientY, item, place) {
  const { top, bottom } = place.getBoundingClientRect();
  return isBelow(item, place) ? clientY > bottom - item.offsetHeight : clientY < top + item.offsetHeight;
}

function passTo(item, place) {
  if (!place || place === item) return;
  const goesDown = isBelow(item, place);
  let other;
  do {
    other = goesDown ? item.nextElementSibling : item.previousElementSibling;
    item[goesDown ? "before" : "after"](other);
  } while (other !== place);
}

function keepOrder() {
  const tasks = new Map(all().map((task) => [task.id, task]));
  [...$("open").children].forEach(({ dataset: { id } }, order) => {
    if (tasks.get(id).order !== order) store({ ...tasks.get(id), order });
  });
  show();
}

// What people do

$("add").onsubmit = (event) => {
  event.preventDefault();
  const words = $("what").value.trim();
  if (!words) return;
  const id = Date.now().toString(36) + Math.random().toString(36).slice(2, 6);
  store({ id, text: words, done: false, order: Math.max(-1, ...all().map((task) => task.order)) + 1 });
  $("what").value = "";
  show();
  rowOf(id).scrollIntoView({ block: "nearest" });
};
$("clear").onclick = () => {
  const done = all().filter((task) => task.done);
  remove(done, say.cleared(done.length));
};
$("undo").onclick = () => {
  removed.forEach(store);
  $("toast").hidden = true;
  show();
  rowOf(removed[0].id).querySelector("[type=checkbox]").focus();
};
document.onkeydown = (event) => {
  const isTyping = event.target.matches?.("textarea, input:not([type=checkbox])");
  if (event.key !== "z" || !(event.ctrlKey || event.metaKey) || isTyping || $("toast").hidden) return;
  event.preventDefault();
  $("undo").click();
};
window.onstorage = show; // another tab (or device) changed something

show();
