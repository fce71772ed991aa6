// The pictures of screens, by the very module that arranges alerts on them. The page works without it.

const shown = document.querySelector("[data-glass]");

if (shown?.dataset.rules && shown.dataset.glass) pictures();

async function pictures() {
  const { arrange, pageTime } = await import(shown.dataset.rules);
  const { body, look, now } = JSON.parse(shown.dataset.glass);
  for (const [name, width, height] of [["wide", 320, 180], ["upright", 180, 320]]) {
    let pages = 1;
    for (let page = 0; page < pages && page < 12; page++) {
      const one = arrange({ alerts: [{ alert: "x", revision: 1, body, look, since: 0 }], width, height, now: Date.parse(now), tick: page * pageTime });
      const card = one.cards[0];
      if (!card) return;
      pages = card.pages;
      const figure = document.createElement("figure");
      figure.append(picture(card, width, height));
      const says = document.createElement("figcaption");
      says.textContent = shown.dataset.page.replace("#", shown.dataset[name]).replace("#", card.page).replace("#", pages);
      figure.append(says);
      shown.append(figure);
    }
  }
}

function picture(card, width, height) {
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", lang: card.language, "aria-label": `${card.word}: ${card.lines.map((l) => l.text).join(" ")}` });
  const { x, y, width: w, height: h } = card.place;
  const { band, foot, big, small } = card.px;
  svg.append(make("rect", { x, y, width: w, height: band * 1.5, class: card.frame }));
  const on = card.frame === "caution" ? "on-caution" : "";
  svg.append(make("text", { x: x + w * 0.035, y: y + band * 1.1, "font-size": band * 0.85, class: "big " + on }, card.event === card.word ? card.word : `${card.word} ${card.event}`));
  let at = y + band * 1.5;
  for (const line of card.lines) {
    const size = line.big ? big : small;
    const from = card.rtl ? { x: x + w * 0.965, direction: "rtl" } : { x: x + w * 0.035 };
    svg.append(make("text", { ...from, y: at + size, "font-size": size, class: line.big ? "big" : "" }, line.text));
    at += size * 1.22;
  }
  svg.append(make("text", { x: x + w * 0.035, y: y + h - foot * 0.6, "font-size": foot }, `${card.from} · ${card.words.until} ${card.until}`));
  svg.append(make("rect", { x: x + 1, y: y + 1, width: w - 2, height: h - 2, fill: "none", stroke: { danger: "#b00020", caution: "#ffd400" }[card.frame] ?? "#1d4ed8", "stroke-width": 2 }));
  return svg;
}

function make(name, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  return element;
}
