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
    left: (n) => `${n}개 남음`, empty: "할 일이 없습니다. 즐기세요.",
    done: (text) => `끝냄: ${text}`, text: "할 일", remove: (text) => `${text} 지우기`, removed: "할 일을 지웠습니다",
    cleared: (n) => `${n}개를 지웠습니다`, move: (text) => `${text} 옮기기: 위아래 화살표 키`,
  },
};
const PREFIX = "task/";
const UNDO_FOR_MS = 6000;

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

// Showing

function show() {
  const tasks = all();
  const open = tasks.filter((task) => !task.done);
  const done = tasks.filter((task) => task.done);
  $("open").replaceChildren(...open.map(row));
  $("done").replaceChildren(...done.map(row));
  $("finished").hidden = done.length === 0;
  $("count").textContent = done.length;
  $("empty").hidden = open.length > 0;
  $("left").textContent = tasks.length ? say.left(open.length) : "";
  $("progress").value = done.length;
  $("progress").max = tasks.length || 1;
}

function row(task) {
  const item = document.createElement("li");
  item.dataset.id = task.id;
  item.append(tick(task), text(task), ...(task.done ? [] : [grip(task, item)]), cross(task));
  return item;
}

function tick(task) {
  const label = document.createElement("label");
  const box = label.appendChild(document.createElement("input"));
  box.type = "checkbox";
  box.checked = task.done;
  box.ariaLabel = say.done(task.text);
  box.onchange = () => {
    store({ ...task, done: box.checked });
    show();
    $("what").focus({ preventScroll: true });
  };
  return label;
}

function text(task) {
  const field = document.createElement("input");
  field.className = "text";
  field.value = task.text;
  field.ariaLabel = say.text;
  field.maxLength = 500;
  field.onchange = () => {
    if (field.value.trim()) store({ ...task, text: field.value.trim() });
    show();
  };
  field.onkeydown = (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") field.value = task.text;
    if (event.key === "Escape" || event.key === "Enter") field.blur();
  };
  return field;
}

function cross(task) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain icon";
  button.textContent = "×";
  button.ariaLabel = say.remove(task.text);
  button.onclick = () => remove([task], say.removed);
  return button;
}

// Order: by keyboard and by finger or mouse

function grip(task, item) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain icon grip";
  button.textContent = "⠿";
  button.ariaLabel = say.move(task.text);
  button.onkeydown = (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const neighbour = step < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (!neighbour) return;
    neighbour[step < 0 ? "before" : "after"](item);
    keepOrder();
    document.querySelector(`[data-id="${task.id}"] .grip`).focus();
  };
  button.onpointerdown = (event) => {
    button.setPointerCapture(event.pointerId);
    item.classList.add("dragged");
    button.onpointermove = ({ clientY }) => {
      const under = [...$("open").children].find((other) => clientY < other.getBoundingClientRect().bottom);
      if (under && under !== item) {
        under[under.compareDocumentPosition(item) & Node.DOCUMENT_POSITION_PRECEDING ? "after" : "before"](item);
      }
    };
    button.onlostpointercapture = keepOrder;
  };
  return button;
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
};
$("clear").onclick = () => {
  const done = all().filter((task) => task.done);
  remove(done, say.cleared(done.length));
};
$("undo").onclick = () => {
  removed.forEach(store);
  $("toast").hidden = true;
  show();
};
// Another tab (or device) changed something. Not while somebody is in the middle of a word.
window.onstorage = () => document.activeElement?.classList.contains("text") || show();

show();
