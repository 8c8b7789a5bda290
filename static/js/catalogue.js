// Comfort for those with JavaScript: the key "/" goes to the search field, and choosing an order shows it at once.

const search = document.querySelector("[data-shortcut]");
const isTyping = (element) => element.matches("input, select, textarea, [contenteditable]");

addEventListener("keydown", (event) => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
  if (event.key === search.dataset.shortcut && isPlain && !isTyping(event.target)) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

for (const select of document.querySelectorAll("[data-submits]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
