// Keys and shortcuts, and nothing that the pages need to work: every action is a plain form or link.
"use strict";

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("[data-search]");
  if (search) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

// A form that does something is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
});

// What cannot be undone is asked for once more, with its effect in words.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.ask || event.target.dataset.ask;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    delete event.target.dataset.sent;
  }
});

// One box that ticks all of its kind in the table.
for (const all of document.querySelectorAll("[data-choose-all]")) {
  const boxes = [...all.closest("table").querySelectorAll(`input[name="${all.dataset.chooseAll}"]:not(:disabled)`)];
  const follow = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  };
  all.hidden = boxes.length < 2;
  all.addEventListener("change", () => boxes.forEach((box) => (box.checked = all.checked)));
  boxes.forEach((box) => box.addEventListener("change", follow));
  follow();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) navigator.clipboard?.writeText(button.dataset.copy).then(() => (button.textContent = "Copied"));
});
