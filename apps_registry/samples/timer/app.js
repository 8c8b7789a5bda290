// Lengths come from the settings that the manifest declares. The state is one entry, `state`, so a round that began on
// one device goes on after a reload, and live on another one; finished rounds are counted per day in `days/<YYYY-MM-DD>`.
import { ring } from "./sound.js";

const WORDS = {
  en: {
    title: "Focus timer", work: "Focus", break: "Break", long: "Long break", start: "Start", pause: "Pause",
    resume: "Resume", reset: "Reset", skip: "Skip", hint: "Space starts and pauses.",
    today: (minutes) => (minutes ? `${minutes} minutes of focus today` : "Start the first round of the day."),
    rounds: (done, goal) => `${done} of ${goal} rounds today`,
  },
  ko: {
    title: "집중 타이머", work: "집중", break: "휴식", long: "긴 휴식", start: "시작", pause: "일시 정지",
    resume: "계속", reset: "처음으로", skip: "건너뛰기", hint: "스페이스 키로 시작하고 멈춥니다.",
    today: (minutes) => (minutes ? `오늘 ${minutes}분 집중했습니다` : "오늘의 첫 집중을 시작해 보세요."),
    rounds: (done, goal) => `오늘 ${goal}회 중 ${done}회`,
  },
};

const $ = (id) => document.getElementById(id);
const now = () => Date.now();
const dayKey = () => `days/${new Date().toLocaleDateString("sv")}`; // Sweden writes 2026-11-23

await dot.ready;
const { settings } = dot;
const say = WORDS[dot.user.locale.slice(0, 2)] ?? WORDS.en;
document.documentElement.lang = say === WORDS.ko ? "ko" : "en";
document.title = say.title;
for (const element of document.querySelectorAll("[data-say]")) element.textContent = say[element.dataset.say];

// {phase, round} before the start, with endsAt while running, with leftMs while paused; rounds since the last long break.
let state = (await dot.data.get("state")) ?? { phase: "work", round: 0 };
let key = dayKey();
let day = (await dot.data.get(key)) ?? { rounds: 0, minutes: 0 };
let saving = Promise.resolve();
let writes = 0; // on their way; what comes back meanwhile is older than what is here

function lengthMs(phase) {
  return { work: settings.workMinutes, break: settings.breakMinutes, long: settings.longBreakMinutes }[phase] * 60_000;
}

function leftMs() {
  const full = lengthMs(state.phase);
  return Math.max(0, state.endsAt ? state.endsAt - now() : Math.min(state.leftMs ?? full, full));
}

function become(next) {
  state = next;
  write("state", state);
  show();
}

function write(name, value) {
  writes += 1;
  saving = saving.then(() => dot.data.set(name, value)).catch(() => {}).finally(() => (writes -= 1));
}

// What happens

function toggle() {
  const { phase, round } = state;
  become(state.endsAt ? { phase, round, leftMs: leftMs() } : { phase, round, endsAt: now() + leftMs() });
}

async function finish() {
  const late = now() - state.endsAt > 60_000; // it ended while nobody looked
  if (state.phase === "work") await countRound();
  if (!late) ring(settings.sound);
  goOn(settings.autoStart && !late);
}

async function countRound() {
  const endedOn = `days/${new Date(state.endsAt).toLocaleDateString("sv")}`;
  const counted = endedOn === key ? day : ((await dot.data.get(endedOn)) ?? { rounds: 0, minutes: 0 });
  const next = { rounds: counted.rounds + 1, minutes: counted.minutes + settings.workMinutes };
  if (endedOn === key) day = next;
  write(endedOn, next);
  dot.metrics.report("focus-minutes", settings.workMinutes);
}

function goOn(running) {
  const round = state.phase === "work" ? state.round + 1 : state.phase === "long" ? 0 : state.round;
  const rest = round >= settings.longBreakEvery ? "long" : "break";
  const phase = state.phase === "work" ? rest : "work";
  become(running ? { phase, round, endsAt: now() + lengthMs(phase) } : { phase, round });
}

// Showing

function show() {
  const left = leftMs();
  const seconds = Math.ceil(left / 1000);
  const started = Boolean(state.endsAt ?? state.leftMs);
  document.body.dataset.phase = state.phase;
  if ($("phase").textContent !== say[state.phase]) $("phase").textContent = say[state.phase]; // read aloud once
  $("left").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  $("ring").style.strokeDashoffset = 100 - (100 * left) / lengthMs(state.phase);
  $("start").textContent = state.endsAt ? say.pause : started ? say.resume : say.start;
  $("reset").disabled = !started;
  $("today").textContent = say.today(day.minutes);
  showRounds(day.rounds, settings.dailyGoal);
}

function showRounds(done, goal) {
  const circles = Math.max(done, goal);
  if ($("rounds").ariaLabel === say.rounds(done, goal)) return; // nothing new four times a second
  $("rounds").ariaLabel = say.rounds(done, goal);
  $("rounds").replaceChildren(...Array.from({ length: circles }, () => document.createElement("i")));
  [...$("rounds").children].slice(0, done).forEach((circle) => circle.classList.add("done"));
}

async function tick() {
  if (state.endsAt && leftMs() === 0) await finish();
  if (key !== dayKey()) {
    key = dayKey();
    day = (await dot.data.get(key)) ?? { rounds: 0, minutes: 0 };
  }
  show();
  setTimeout(tick, 250);
}

$("start").onclick = toggle;
$("reset").onclick = () => {
  become({ phase: state.phase, round: state.round });
  $("start").focus(); // this button is switched off now
};
$("skip").onclick = () => goOn(Boolean(state.endsAt) && settings.autoStart);
document.onkeydown = (event) => {
  if (event.code !== "Space" || event.target.tagName === "BUTTON") return;
  event.preventDefault();
  toggle();
};
dot.data.watch("", (change) => {
  if (writes || change.deleted) return;
  if (change.key === "state") state = change.value;
  if (change.key === key) day = change.value;
  show();
});
tick();
