// Buttons that copy what stands beside them: <button data-copy="id of it" hidden>. Without JavaScript there is none.

for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const [label, done] = button.children;
  let back = 0;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    label.hidden = true;
    done.textContent = done.dataset.done;
    clearTimeout(back);
    back = setTimeout(() => {
      done.textContent = "";
      label.hidden = false;
    }, 2000);
  });
}
