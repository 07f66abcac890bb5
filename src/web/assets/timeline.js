// The cursor and the zoom of a timeline. The server draws every range; this asks for another one and puts it in place.
(() => {
  "use strict";
  const language = document.documentElement.lang || "en";
  const number = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const signed = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: "exceptZero" });
  const share = new Intl.NumberFormat(language, { style: "percent" });
  let section = null;
  let figures = null;
  let wanted = 0;

  const secondsOf = (name) => Number.parseFloat(section.dataset[name]);
  const range = () => ({ from: secondsOf("from"), to: secondsOf("to") });

  const clock = (secs) => {
    const two = (value) => String(value).padStart(2, "0");
    const tenths = Math.round(secs * 10);
    const minutes = Math.floor(tenths / 600);
    const rest = number.format((tenths % 600) / 10).slice(0, -1).padStart(4, "0");
    return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
  };

  const written = (lane, value) => {
    if (value === null || value === undefined) return "–";
    if (lane === "score") return number.format(value);
    return lane === "face" ? share.format(value) : signed.format(value);
  };

  // Figures come with the first use of the cursor, so that a page which is only read does not carry them.
  const load = async () => {
    const mine = section;
    figures = { lanes: {} };
    const answer = await fetch(mine.dataset.json, { headers: { accept: "application/json" } });
    if (answer.ok && mine === section) {
      figures = await answer.json();
      show(wanted);
    }
  };

  const show = (secs) => {
    const { from, to } = range();
    wanted = Math.min(Math.max(secs, from), to);
    if (figures === null) load().catch(() => {});
    const at = (wanted - from) / Math.max(to - from, 1e-9);
    const cursor = section.querySelector("#timeline-cursor");
    if (!cursor) return;
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, `${(at * 100).toFixed(2)}%`);
    section.classList.add("has-cursor");
    const position = section.querySelector("#timeline-position");
    position.value = String(wanted);
    position.setAttribute("aria-valuetext", clock(wanted));
    for (const place of section.querySelectorAll("#timeline-readout [data-lane]")) {
      const lane = place.dataset.lane;
      const values = figures?.lanes[lane];
      const index = values ? Math.min(Math.floor(at * values.length), values.length - 1) : 0;
      place.textContent = lane === "at" ? clock(wanted) : written(lane, values?.[index]);
    }
    // Whatever belongs to a stretch or a moment shows that the cursor is there.
    for (const part of document.querySelectorAll("[data-from][data-to]:not(#timeline)")) {
      const isAt = wanted >= Number.parseFloat(part.dataset.from) && wanted <= Number.parseFloat(part.dataset.to);
      part.classList.toggle("is-at", isAt);
    }
    document.dispatchEvent(new CustomEvent("timeline-moved", { detail: wanted }));
  };

  // A document that the browser parsed itself: no text becomes markup here.
  const fetchSection = (from, to) =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.responseType = "document";
      request.open("GET", `${section.dataset.part}&from=${from.toFixed(1)}&to=${to.toFixed(1)}`);
      request.onload = () => (request.status === 200 ? resolve(request.response) : reject(new Error(request.statusText)));
      request.onerror = () => reject(new Error("no answer"));
      request.send();
    });

  const goTo = async (from, to, focus) => {
    const old = section;
    old.setAttribute("aria-busy", "true");
    try {
      const found = (await fetchSection(from, to)).getElementById("timeline");
      if (!found || old !== section) return;
      const fresh = document.importNode(found, true);
      old.replaceWith(fresh);
      begin(fresh);
      show(Math.min(Math.max(wanted, from), to));
      (fresh.querySelector(`.zoom [data-zoom="${focus}"]:not([aria-disabled])`) ?? fresh.querySelector("#timeline-position")).focus({ preventScroll: true });
      const address = new URL(location.href);
      address.searchParams.set("from", from.toFixed(1));
      address.searchParams.set("to", to.toFixed(1));
      history.replaceState(null, "", address);
    } catch {
      old.removeAttribute("aria-busy");
    }
  };

  const zoom = (link) => {
    const address = new URL(link.href);
    let from = Number.parseFloat(address.searchParams.get("from"));
    let to = Number.parseFloat(address.searchParams.get("to"));
    const kind = link.dataset.zoom;
    const [first, last] = [secondsOf("allFrom"), secondsOf("allTo")];
    if ((kind === "in" || kind === "out") && section.classList.contains("has-cursor")) {
      const secs = to - from;
      from = Math.max(first, Math.min(wanted - secs / 2, last - secs));
      to = Math.min(last, from + secs);
    }
    if (kind === "to") wanted = (from + to) / 2;
    goTo(Math.max(from, first), Math.min(to, last), kind);
  };

  const begin = (fresh) => {
    section = fresh;
    figures = null;
    const chart = section.querySelector(".chart");
    const position = section.querySelector("#timeline-position");
    if (!chart || !position) return;
    position.hidden = false;
    section.querySelector("#timeline-readout").hidden = false;
    const secondsAt = (event) => {
      const box = chart.getBoundingClientRect();
      const { from, to } = range();
      return from + ((event.clientX - box.left) / box.width) * (to - from);
    };
    position.addEventListener("input", () => show(Number.parseFloat(position.value)));
    chart.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest("a")) return;
      chart.setPointerCapture(event.pointerId);
      show(secondsAt(event));
    });
    chart.addEventListener("pointermove", (event) => {
      if (chart.hasPointerCapture(event.pointerId)) show(secondsAt(event));
    });
    chart.addEventListener("dblclick", (event) => {
      show(secondsAt(event));
      section.querySelector('.zoom [data-zoom="in"]:not([aria-disabled])')?.click();
    });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-zoom]");
    if (!link || !section || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    if (link.search.includes("participant=") && new URL(link.href).searchParams.get("participant") !== participant()) return;
    event.preventDefault();
    zoom(link);
    if (link.dataset.zoom === "to") section.scrollIntoView({ block: "start" });
  });
  const participant = () => new URL(section.dataset.part, location.href).searchParams.get("participant");

  const first = document.getElementById("timeline");
  if (first) begin(first);
})();
