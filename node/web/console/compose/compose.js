// What moves on the form that writes or changes an alert. The form works without it: then whom it reaches
// is counted when asked, and a drawing is typed as corners.

const form = document.querySelector("[data-compose]");
const key = "almenara-draft";
const user = form.dataset.user; // a draft belongs to one person; an update has none

// The draft survives a reload and a session that has ended: it is in this tab, and nowhere else. What
// was pressed already is not opened again by itself.
function draft() {
  try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; }
}

if (form.dataset.fresh === undefined) history.replaceState(null, "", location.href); // so that to go back asks for the form, and sends none again

function keep() {
  if (user) sessionStorage.setItem(key, JSON.stringify({ user, fields: [...new FormData(form)] }));
}

async function reopen(fields, pressed) {
  const body = new URLSearchParams(fields);
  if (!pressed) for (const name of ["id", "at"]) body.delete(name); // nobody has it: it may be a new message
  body.set("do", "edit");
  const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { "Almenara-Part": "1" } });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-compose]");
  if (!answer.ok || !fresh) return;
  form.replaceChildren(...document.importNode(fresh, true).childNodes);
  form.removeAttribute("data-fresh");
  begin();
}

const kept = user && form.dataset.fresh !== undefined ? draft() : null;
const said = document.querySelector("[data-pressed]");
if (kept && kept.user === user) {
  if (kept.pressed) {
    said.hidden = false;
    said.querySelector("[data-reopen]").onclick = () => { said.hidden = true; reopen(kept.fields, true); };
    said.querySelector("[data-forget]").onclick = () => { said.hidden = true; sessionStorage.removeItem(key); };
  } else {
    reopen(kept.fields);
  }
} else if (user && form.dataset.fresh === undefined) {
  keep();
}
form.addEventListener("input", keep);
form.addEventListener("click", (e) => { if (e.target.closest("[data-anew]")) sessionStorage.removeItem(key); });

// Whom it reaches, a moment after the hand has stopped.
let waits, asked;
function count() {
  clearTimeout(waits);
  waits = setTimeout(async () => {
    asked?.abort();
    asked = new AbortController();
    const body = new URLSearchParams([...new FormData(form)].filter(([name]) => name !== "do"));
    body.set("do", "count");
    try {
      const answer = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { "Almenara-Part": "1" }, signal: asked.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-count]");
      const shown = form.querySelector("[data-count]");
      if (page) shown.replaceChildren(...document.importNode(page, true).childNodes);
      else shown.textContent = "–";
    } catch (e) {
      if (e.name !== "AbortError") form.querySelector("[data-count]").textContent = "–"; // an old count is none
    }
  }, 300);
}

function begin() {
  for (const way of form.querySelectorAll("input[name=by]")) way.onchange = () => { ways(); count(); };
  ways();
  for (const name of ["place", "select", "polygon", "circle", "severity", "urgency", "certainty", "status"]) {
    for (const field of form.querySelectorAll(`[name="${name}"]`)) field.addEventListener("input", () => { if (draws) shape(); count(); });
  }
  find();
  attach();
  draws = false;
  if (form.querySelector("[data-map]")) draw();
  if (form.querySelector("[name=by]:checked")?.value) count();
}

// Only the way that is chosen is shown.
function ways() {
  const by = form.querySelector("[name=by]:checked")?.value;
  for (const part of form.querySelectorAll("[data-way]")) part.hidden = part.dataset.way !== by;
}

// find hides the places whose names do not hold what is typed, but not those above one that does.
function find() {
  const box = form.querySelector("[data-search]");
  if (!box) return;
  box.closest("[data-find]").hidden = false;
  const rows = [...form.querySelectorAll(".tree li")];
  box.oninput = (e) => {
    e.stopPropagation();
    const wanted = box.value.trim().toLowerCase();
    const fits = new Set();
    for (const row of rows) {
      const path = row.querySelector("input").value;
      if (!row.textContent.toLowerCase().includes(wanted) && !path.includes(wanted)) continue;
      for (let at = path; at; at = at.includes("/") ? at.slice(0, at.lastIndexOf("/")) : "") fits.add(at);
    }
    for (const row of rows) row.hidden = !fits.has(row.querySelector("input").value);
  };
  box.onkeydown = (e) => { if (e.key === "Enter") e.preventDefault(); };
}

// A picture travels with the message, so it is made small here.
function attach() {
  const part = form.querySelector("[data-picture]");
  if (!part) return;
  part.hidden = false;
  const held = form.querySelector("[name=picture]"), says = part.querySelector("[role=status]"), file = part.querySelector("[type=file]");
  part.querySelector("[data-without]").onclick = () => { held.value = file.value = says.textContent = ""; keep(); };
  file.onchange = async () => {
    held.value = "";
    try {
      const image = await createImageBitmap(file.files[0]);
      for (let side = 640, quality = 0.8; side >= 160 && !held.value; side *= 0.8, quality -= 0.05) {
        const scale = Math.min(1, side / Math.max(image.width, image.height));
        const canvas = document.createElement("canvas");
        canvas.width = Math.max(1, image.width * scale);
        canvas.height = Math.max(1, image.height * scale);
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        const text = canvas.toDataURL("image/jpeg", quality).split(",")[1];
        if (text.length * 0.75 <= 24 << 10) held.value = text;
      }
    } catch { /* no picture */ }
    says.textContent = held.value ? part.dataset.there : part.dataset.none;
    keep();
  };
}

// Drawing: corners by pointer, or by a cross that the arrow keys move and Enter sets. What is drawn is
// what stands in the fields, which can be typed as well; the last line is the one that is being drawn.
let draws = false, mode = "polygon", cross, svg;

function draw() {
  draws = true;
  svg = form.querySelector("[data-map]");
  form.querySelector("[data-draw]").hidden = false;
  svg.setAttribute("role", "application");
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("aria-describedby", "draw-how");
  const box = svg.viewBox.baseVal;
  cross = { x: box.width / 2, y: box.height / 2 };
  for (const button of form.querySelectorAll("[data-mode]")) {
    button.onclick = () => {
      mode = button.dataset.mode;
      for (const b of form.querySelectorAll("[data-mode]")) b.setAttribute("aria-pressed", b === button);
      middle = undefined;
      shape();
    };
  }
  form.querySelector("[data-undo]").onclick = undo;
  form.querySelector("[data-clear]").onclick = () => { middle = undefined; set("polygon", ""); set("circle", ""); };
  svg.onclick = (e) => {
    const at = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
    cross = { x: at.x, y: at.y };
    corner();
  };
  svg.onkeydown = (e) => {
    const step = e.shiftKey ? box.width / 12 : box.width / 60;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (move) {
      cross = { x: Math.min(box.width, Math.max(0, cross.x + move[0] * step)), y: Math.min(box.height, Math.max(0, cross.y + move[1] * step)) };
      shape();
    } else if (e.key === "Enter" || e.key === " ") corner();
    else if (e.key === "Backspace") undo();
    else return;
    e.preventDefault();
  };
  shape();
}

const field = (name) => form.querySelector(`[name="${name}"]`);
function set(name, text) {
  field(name).value = text;
  shape();
  keep();
  count();
}

const degrees = ({ x, y }) => `${(+svg.dataset.north - y / +svg.dataset.perlat).toFixed(6)},${(+svg.dataset.west + x / +svg.dataset.perlon).toFixed(6)}`;
function place(text) {
  const [lat, lon] = text.split(",").map(Number);
  return { x: (lon - +svg.dataset.west) * +svg.dataset.perlon, y: (+svg.dataset.north - lat) * +svg.dataset.perlat };
}

let middle; // of the circle whose rim is not set yet

function corner() {
  if (mode === "polygon") {
    set("polygon", (field("polygon").value.trim() + " " + degrees(cross)).trim());
  } else if (!middle) {
    middle = { ...cross };
    shape();
  } else {
    const metres = Math.max(1, Math.round(Math.hypot(cross.x - middle.x, cross.y - middle.y) / +svg.dataset.permetre));
    const line = `${degrees(middle)} ${metres}`;
    middle = undefined;
    set("circle", (field("circle").value.trim() + "\n" + line).trim());
  }
}

function undo() {
  if (middle) middle = undefined;
  const last = (text, between) => text.trim().split(between).slice(0, -1).join(between === /\s*\n\s*/ ? "\n" : " ");
  if (mode === "polygon") set("polygon", last(field("polygon").value, /[ \t]+/));
  else set("circle", last(field("circle").value, /\s*\n\s*/));
}

function make(name, attributes, into) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  into.append(element);
}

// shape draws what the fields say.
function shape() {
  const into = svg.querySelector("[data-shape]");
  into.replaceChildren();
  let corners = 0;
  for (const line of field("polygon").value.split("\n")) {
    const points = line.trim().split(/\s+/).filter((c) => /^-?[\d.]+,-?[\d.]+$/.test(c)).map(place);
    corners += points.length;
    if (points.length) make("polygon", { class: "drawn", points: points.map((p) => `${p.x},${p.y}`).join(" ") }, into);
    for (const p of points) make("circle", { class: "corner", cx: p.x, cy: p.y, r: 6 }, into);
  }
  let circles = 0;
  for (const line of field("circle").value.split("\n")) {
    const [at, metres] = line.trim().split(/\s+/);
    if (!/^-?[\d.]+,-?[\d.]+$/.test(at) || !(metres > 0)) continue;
    circles++;
    const p = place(at);
    make("circle", { class: "drawn", cx: p.x, cy: p.y, r: metres * +svg.dataset.permetre }, into);
  }
  if (middle) make("circle", { class: "corner", cx: middle.x, cy: middle.y, r: 6 }, into);
  make("path", { class: "cross", d: `M${cross.x - 12} ${cross.y}h24M${cross.x} ${cross.y - 12}v24` }, into);
  const says = form.querySelector("[data-drawn]");
  says.textContent = says.dataset.corners.replace("#", corners).replace("#", circles);
}

begin();
