// What every page can do besides being read: keys in lists, times in the browser's own zone. Nothing here is needed.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("has-script");
  const language = root.lang || "en";

  const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const second = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    time.title = exact.format(moment);
    if (time.classList.contains("exact")) time.textContent = (time.closest("table") ? second : exact).format(moment);
  }

  const list = document.getElementById("inbox");
  const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select") !== null;
  document.addEventListener("keydown", (event) => {
    if (!list || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key !== "j" && event.key !== "k") return;
    const links = [...list.querySelectorAll("a.open")];
    const at = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
    if (links[next]) {
      links[next].focus();
      links[next].closest("tr").scrollIntoView({ block: "nearest" });
      event.preventDefault();
    }
  });

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
})();
