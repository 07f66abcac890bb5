// Keeps a live page up to date. Events carry finished sentences; this puts them in their places.
(() => {
  "use strict";
  const live = document.getElementById("live");
  if (!live) return;
  const state = document.getElementById("live-state");
  const on = state.textContent;
  const maxSegments = 20;

  const put = (card, name, text) => {
    const place = card.querySelector(`[data-put="${name}"]`);
    if (place && place.textContent !== text) place.textContent = text;
  };

  const badge = (level, word) => {
    const outer = document.createElement("span");
    outer.className = `level ${level}`;
    const shape = document.getElementById(`shape-${level}`);
    if (shape) outer.append(shape.content.cloneNode(true));
    const words = document.createElement("span");
    words.textContent = word;
    outer.append(words);
    return outer;
  };

  const cardOf = (participant) => {
    const cards = [...document.querySelectorAll("#live-participants .live-card")];
    const known = cards.find((card) => card.dataset.participant === participant);
    if (known) return known;
    const fresh = document.getElementById("live-card").content.firstElementChild.cloneNode(true);
    fresh.dataset.participant = participant;
    document.getElementById("live-participants").append(fresh);
    document.getElementById("live-nobody")?.remove();
    return fresh;
  };

  const draw = (bar, level, words, ends) => {
    bar.setAttribute("class", `bar ${level}`);
    bar.setAttribute("aria-label", words);
    for (const old of bar.querySelectorAll(".interval, .value")) old.remove();
    if (!ends) return;
    const [low, value, high] = ends.map((end) => Math.min(Math.max(end, 0), 1) * 200);
    const rect = (name, x, y, width, height) => {
      const shape = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      shape.setAttribute("class", name);
      for (const [key, number] of Object.entries({ x, y, width, height })) shape.setAttribute(key, number.toFixed(1));
      bar.append(shape);
    };
    rect("interval", low, 4, Math.max(high - low, 1), 8);
    rect("value", Math.min(Math.max(value - 1.5, 0), 197), 0, 3, 16);
  };

  const showScore = (score) => {
    const card = cardOf(score.participant);
    put(card, "participant", score.participant);
    put(card, "means", score.means);
    put(card, "at", score.at);
    const level = card.querySelector('[data-put="level"]');
    if (!level.querySelector(`.level.${score.level}`)) level.replaceChildren(badge(score.level, score.word));
    draw(card.querySelector(".bar"), score.level, score.score, score.bar);
    card.querySelector(".score .words").textContent = score.score;
    card.querySelector('[data-put="reasons"]').replaceChildren(
      ...score.reasons.map((reason) => {
        const item = document.createElement("li");
        item.textContent = reason;
        return item;
      }),
    );
    for (const signal of score.signals) {
      const place = card.querySelector(`[data-signal="${CSS.escape(signal.name)}"]`);
      if (!place) continue;
      put(place, "says", signal.says);
      put(place, "why", signal.why.join(". "));
    }
  };

  const showSegment = (segment) => {
    const list = document.getElementById("live-segments");
    let item = list.querySelector(`[data-ordinal="${segment.ordinal}"]`);
    if (!item) {
      item = document.getElementById("live-segment").content.firstElementChild.cloneNode(true);
      item.dataset.ordinal = segment.ordinal;
      item.querySelector("a").href += segment.ordinal;
      const after = [...list.children].find((other) => Number(other.dataset.ordinal) < segment.ordinal);
      list.insertBefore(item, after ?? null);
      while (list.children.length > maxSegments) list.lastElementChild.remove();
    }
    item.querySelector(".level").replaceWith(badge(segment.level, segment.word));
    item.querySelector(".when").textContent = segment.when;
    item.querySelector(".why").textContent = segment.why;
  };

  const events = new EventSource(live.dataset.events);
  events.addEventListener("open", () => { state.textContent = on; });
  events.addEventListener("score", (event) => showScore(JSON.parse(event.data)));
  events.addEventListener("segment", (event) => showSegment(JSON.parse(event.data)));
  events.addEventListener("ended", (event) => {
    const { words, final } = JSON.parse(event.data);
    state.textContent = words;
    if (final) events.close();
  });
  events.addEventListener("error", () => {
    if (events.readyState !== EventSource.CLOSED) state.textContent = live.dataset.lost;
  });
  window.addEventListener("pagehide", () => events.close());
})();
