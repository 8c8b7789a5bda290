// All it keeps is which units were used last: one item of localStorage.
import { convert, KINDS } from "./units.js";

const WORDS = {
  en: {
    title: "Unit converter", kind: "Quantity", amount: "Amount", from: "From", to: "To", swap: "Swap units",
    all: "In all units", invalid: "Enter a number",
  },
  ko: {
    title: "단위 변환", kind: "종류", amount: "값", from: "바꿀 단위", to: "바뀔 단위", swap: "단위 맞바꾸기",
    all: "모든 단위로", invalid: "숫자를 입력하세요",
  },
};

const $ = (id) => document.getElementById(id);
const korean = navigator.language.startsWith("ko");
const say = korean ? WORDS.ko : WORDS.en;
const number = new Intl.NumberFormat(korean ? "ko" : "en", { maximumSignificantDigits: 8 });
const tiny = new Intl.NumberFormat(korean ? "ko" : "en", { maximumSignificantDigits: 6, notation: "scientific" });

document.documentElement.lang = korean ? "ko" : "en";
document.title = say.title;
for (const element of document.querySelectorAll("[data-say]")) element.textContent = say[element.dataset.say];
for (const element of document.querySelectorAll("[data-say-label]")) element.ariaLabel = say[element.dataset.sayLabel];

for (const [kind, { names }] of Object.entries(KINDS)) {
  const label = $("kinds").appendChild(document.createElement("label"));
  const radio = label.appendChild(document.createElement("input"));
  radio.type = "radio";
  radio.name = "kind";
  radio.value = kind;
  radio.onchange = () => {
    choose(kind);
    use();
  };
  label.append(names[korean ? 1 : 0]);
}

function kind() {
  return document.querySelector("[name=kind]:checked").value;
}

function nameOf([, english, local]) {
  return korean ? local : english;
}

function choose(chosen, pair = KINDS[chosen].start) {
  document.querySelector(`[value=${chosen}]`).checked = true;
  for (const [index, select] of [$("from"), $("to")].entries()) {
    select.replaceChildren(...KINDS[chosen].units.map((unit) => new Option(label(unit), unit[0])));
    select.value = pair[index];
    if (select.selectedIndex < 0) select.selectedIndex = index;
  }
  show();
}

function use() {
  localStorage.setItem("last", JSON.stringify([kind(), $("from").value, $("to").value]));
  show();
}

function label(unit) {
  const name = nameOf(unit);
  return name === unit[0] ? name : `${unit[0]} · ${name}`;
}

/** What was typed as a number: thousands separators and spaces are fine; NaN where it is none. */
function amount() {
  const typed = $("amount").value.normalize("NFKC").replace(/[,\s_]/g, "");
  return typed === "" ? NaN : Number(typed);
}

function format(value) {
  const clean = Number(value.toPrecision(12)); // 0.1 + 0.2 is 0.3 to people
  const size = Math.abs(clean);
  return (clean !== 0 && (size < 1e-6 || size >= 1e15) ? tiny : number).format(clean);
}

function show() {
  const value = amount();
  const known = Number.isFinite(value);
  const to = $("to").value;
  $("amount").ariaInvalid = String(!known);
  $("result").textContent = known ? format(convert(value, kind(), $("from").value, to)) : "–";
  $("about").textContent = known ? say.all : say.invalid;
  $("table").replaceChildren(...KINDS[kind()].units.map((unit) => row(unit, known ? value : NaN, unit[0] === to)));
}

function row(unit, value, chosen) {
  const line = document.createElement("tr");
  const head = line.appendChild(document.createElement("th"));
  head.scope = "row";
  head.append(`${unit[0]} `);
  if (nameOf(unit) !== unit[0]) head.appendChild(document.createElement("small")).textContent = nameOf(unit);
  line.insertCell().textContent = Number.isNaN(value) ? "–" : format(convert(value, kind(), $("from").value, unit[0]));
  line.classList.toggle("chosen", chosen);
  return line;
}

$("form").onsubmit = (event) => event.preventDefault();
$("amount").oninput = show;
$("from").onchange = $("to").onchange = use;
$("swap").onclick = () => {
  [$("from").value, $("to").value] = [$("to").value, $("from").value];
  use();
};
const [last, ...units] = JSON.parse(localStorage.getItem("last")) ?? [];
choose(...(last in KINDS ? [last, units] : [korean ? "area" : "length"]));
