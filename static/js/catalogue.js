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

// Not where the arrow keys walk through the orders: each would be a page of its own. There, the button does it.
for (const select of document.querySelectorAll("[data-submits]")) {
  let isWalking = false;
  select.addEventListener("keydown", () => {
    isWalking = true;
  });
  select.addEventListener("pointerdown", () => {
    isWalking = false;
  });
  select.addEventListener("change", () => isWalking || select.form.requestSubmit());
}
