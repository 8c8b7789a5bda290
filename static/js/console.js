// A filter's drop-down closes by Escape, and by a click beside it; without JavaScript, by its own button.

const open = () => document.querySelector(".filter[open]");

addEventListener("keydown", (event) => {
  const filter = event.key === "Escape" && open();
  if (filter) {
    filter.open = false;
    filter.querySelector("summary").focus();
  }
});

addEventListener("click", (event) => {
  const filter = open();
  if (filter && !filter.contains(event.target)) {
    filter.open = false;
  }
});
