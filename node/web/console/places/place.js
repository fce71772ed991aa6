// Drawing the outline of a place on the map: corners by pointer, or by a cross that the arrow keys move and
// Enter sets. What is drawn is what stands in the field, which can be typed as well; the last line is the one
// that is being drawn. The page works without it.

const form = document.querySelector("[data-place]");
const svg = form.querySelector("[data-map]");
const field = form.querySelector("[name=outline]");
const corner = /^-?[\d.]+,-?[\d.]+$/;

if (svg) {
  const box = svg.viewBox.baseVal, { north, west, perlat, perlon } = svg.dataset;
  const degrees = ({ x, y }) => `${(+north - y / +perlat).toFixed(6)},${(+west + x / +perlon).toFixed(6)}`;
  const drawn = (text) => { const [lat, lon] = text.split(",").map(Number); return { x: (lon - +west) * +perlon, y: (+north - lat) * +perlat }; };
  let cross = { x: box.width / 2, y: box.height / 2 };

  form.querySelector("[data-draw]").hidden = false;
  svg.setAttribute("role", "application");
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("aria-describedby", "draw-how");

  const make = (name, attributes, into) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    into.append(element);
  };
  const show = () => {
    const into = svg.querySelector("[data-shape]");
    into.replaceChildren();
    let corners = 0;
    for (const line of field.value.split("\n")) {
      const points = line.trim().split(/\s+/).filter((c) => corner.test(c)).map(drawn);
      corners += points.length;
      if (points.length) make("polygon", { class: "drawn", points: points.map((p) => `${p.x},${p.y}`).join(" ") }, into);
      if (points.length < 60) for (const p of points) make("circle", { class: "corner", cx: p.x, cy: p.y, r: 6 }, into);
    }
    make("path", { class: "cross", d: `M${cross.x - 12} ${cross.y}h24M${cross.x} ${cross.y - 12}v24` }, into);
    const says = form.querySelector("[data-drawn]");
    says.textContent = says.dataset.corners.replace("#", corners);
  };
  const set = (text) => { field.value = text; show(); };
  const add = () => set((field.value.trim() + " " + degrees(cross)).trim());
  const undo = () => set(field.value.trim().split(/[ \t]+/).slice(0, -1).join(" "));

  form.querySelector("[data-undo]").onclick = undo;
  form.querySelector("[data-clear]").onclick = () => set("");
  field.addEventListener("input", show);
  svg.onclick = (e) => {
    const at = new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse());
    cross = { x: at.x, y: at.y };
    add();
  };
  svg.onkeydown = (e) => {
    const step = e.shiftKey ? box.width / 12 : box.width / 60;
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (move) {
      cross = { x: Math.min(box.width, Math.max(0, cross.x + move[0] * step)), y: Math.min(box.height, Math.max(0, cross.y + move[1] * step)) };
      show();
    } else if (e.key === "Enter" || e.key === " ") add();
    else if (e.key === "Backspace") undo();
    else return;
    e.preventDefault();
  };
  show();
}
