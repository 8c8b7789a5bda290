// The upload forms of the console and of /publish: a big bundle takes its time, and the page says so instead of seeming to hang.

const button = document.querySelector("[data-busy]");
const words = button instanceof HTMLInputElement ? "value" : "textContent";
const label = button[words];
const show = (isBusy) => {
  button.disabled = isBusy;
  button[words] = isBusy ? button.dataset.busy : label;
  button.form.querySelector("progress").hidden = !isBusy;
};

button.form.addEventListener("submit", () => setTimeout(show, 0, true)); // after it was sent: disabled ones are left out
addEventListener("pageshow", () => show(false)); // back from the next page
