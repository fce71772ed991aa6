// What moves on the pages of the console. Every page works without it: it is only not live then.
// Counts and states of alerts that are shown change in place, and what is under a finger stays where it
// is: what is new is added below, what is over stays and says so, and no control is made anew, so that
// it keeps the focus.

const at = document.querySelector("[data-at]");
const live = document.querySelector("[data-live]");
const every = Number(live?.dataset.every) || 0; // ms between two readings of a page that changes with time alone; 0: it does not
const again = every || 1_000; // ms between two readings of the page
const apart = 250; // ms between two changes of what is shown: a person cannot follow more, and a storm has many
const silentAfter = 12_000; // ms without a sign of life; they come every 5 s

const waiting = new Map(); // what has come and is not shown yet, by alert
const blocks = new Map(); // what has changed and is not shown yet, by what finds it
let stream, showing, heard = performance.now(), touched = 0, due, news, placing, reading = false;

if (live && at) {
  connect();
  setInterval(look, 1_000);
  if (every) setInterval(() => document.hidden || read(), every);
  for (const kind of ["pointermove", "pointerdown", "keydown", "scroll"]) addEventListener(kind, () => (touched = performance.now()), { passive: true });
  // A browser has six connections to a node at a time: a page that nobody sees gives its own back.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : (connect(), read())));
}

// The other language takes along what was typed last, and nothing of it is done.
addEventListener("input", (e) => {
  const form = e.target.form, other = document.querySelector("[data-language]");
  if (!form || !other || form.getAttribute("method") !== "post" || form.getAttribute("id") === "typed" || !form.closest("main")) return;
  document.getElementById("typed")?.removeAttribute("id");
  form.setAttribute("id", "typed");
  other.setAttribute("form", "typed");
  const to = new URL(other.formAction);
  to.searchParams.set("form", form.getAttribute("action"));
  other.formAction = to.href;
});

// The language is not what a form is for: what else listens to it being sent is not asked.
addEventListener("submit", (e) => {
  if (e.submitter?.hasAttribute("data-language")) e.stopImmediatePropagation();
}, { capture: true });

// A page that a form has drawn again is at the address to which the form was sent: who asks for it anew, or keeps
// the address, gets the page itself.
const drawn = location.pathname === "/console/language" ? new URLSearchParams(location.search).get("back") : document.querySelector("[data-refused]")?.dataset.refused;
if (drawn?.startsWith("/console/")) history.replaceState(null, "", drawn);

function connect() {
  if (stream || document.hidden) return;
  const of = live.dataset.of;
  stream = new EventSource("/console/events" + (of ? "?alert=" + encodeURIComponent(of) : ""));
  stream.addEventListener("beat", (e) => {
    heard = performance.now();
    at.dataset.text = at.textContent = JSON.parse(e.data).text;
    document.body.classList.remove("stale");
  });
  for (const kind of ["alert", "receipts"]) stream.addEventListener(kind, (e) => take(JSON.parse(e.data)));
  // What happened after the page was made and before its stream began is in neither: "open" reads it. An alert
  // that has changed may have another title and another end, which no event carries.
  for (const kind of ["open", "alert", "node", "report", "notice"]) stream.addEventListener(kind, read);
  stream.onerror = () => {
    // A session that has ended is answered with a page, after which a browser does not try again.
    if (stream && stream.readyState === EventSource.CLOSED) {
      close();
      setTimeout(() => { connect(); read(); }, 5_000);
    }
  };
}

function close() {
  stream?.close();
  stream = undefined;
}

// look says so when nothing has come for a while: what is shown may be old.
function look() {
  if (document.hidden || performance.now() - heard < silentAfter || document.body.classList.contains("stale")) return;
  document.body.classList.add("stale");
  at.textContent = at.dataset.stale + (at.dataset.text ?? at.textContent);
}

// take keeps the newest that has come of each alert, until it is shown.
function take(event) {
  waiting.set(event.alert, { ...waiting.get(event.alert), ...event });
  showing ??= setTimeout(() => {
    showing = undefined;
    const events = [...waiting.values()];
    waiting.clear();
    events.forEach(changed);
  }, apart);
}

function changed(event) {
  const row = event.alert && rowOf(live, event.alert);
  if (!row || (event.state && event.state !== row.dataset.state)) {
    read();
    return;
  }
  if (!event.rungs) return;
  const { cancelled, expired, ...rungs } = event.rungs;
  for (const [rung, count] of Object.entries({ ...rungs, stopped: cancelled + expired })) {
    const cell = row.querySelector(`[data-rung="${rung}"]`);
    if (cell) setText(cell, count.toLocaleString("en-US"));
  }
  // Words follow counts: those of its state only where all have reported by now, or have not any more.
  const complete = String(rungs.presented >= rungs.queued), words = row.querySelector('[data-part]:not([data-part="state"], [data-part="reports"])');
  if (words || row.dataset.complete !== complete) read();
  row.dataset.complete = complete;
}

function rowOf(within, id) {
  return within.querySelector(`[data-alert="${CSS.escape(id)}"]`);
}

// rowsOf are all rows by what they are about: there may be hundreds, and each is looked for once.
function rowsOf(within) {
  const rows = new Map();
  for (const row of within.querySelectorAll("[data-alert]")) if (!rows.has(row.dataset.alert)) rows.set(row.dataset.alert, row);
  return rows;
}

// read reads the page anew, soon and not too often, and takes over what has changed.
function read() {
  if (due || !live) return;
  due = setTimeout(async () => {
    due = undefined;
    if (reading) return read();
    reading = true;
    try {
      const answer = await fetch(location.href, { headers: { "Almenara-Part": "1" }, redirect: "error" });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        merge(page.querySelector("[data-live]"));
        announce(page.querySelector("[data-banner]"));
      }
    } catch { /* the sign of life says that nothing comes */ }
    reading = false;
  }, again);
}

function merge(fresh) {
  if (!fresh) return;
  if (live.dataset.whole !== undefined) { // nothing in it is pressed or read by touch
    if (live.innerHTML !== fresh.innerHTML) live.replaceChildren(...document.importNode(fresh, true).childNodes);
    return;
  }
  const picture = live.querySelector("[data-picture]"), other = fresh.querySelector("[data-picture]"); // a map keeps its size
  if (picture && other && picture.innerHTML !== other.innerHTML && !picture.contains(document.activeElement)) picture.replaceWith(document.importNode(other, true));
  const shown = rowsOf(live), came = rowsOf(fresh);
  for (const row of live.querySelectorAll("[data-alert]")) {
    const now = came.get(row.dataset.alert);
    if (!now) {
      row.classList.add("over");
      const state = row.querySelector('[data-part="state"]');
      if (state) setText(state, live.dataset.over);
      continue;
    }
    const may = row.dataset.state !== now.dataset.state && now.querySelector("[data-may]");
    if (may) blocks.set(`[data-may="${CSS.escape(may.dataset.may)}"]`, may);
    row.dataset.state = now.dataset.state;
    if (row.dataset.tone !== now.dataset.tone) row.dataset.tone = now.dataset.tone ?? "";
    row.className = now.className;
    for (const name of ["part", "text", "rung"]) {
      for (const cell of row.querySelectorAll(`[data-${name}]`)) {
        const other = now.querySelector(`[data-${name}="${cell.dataset[name]}"]`);
        if (!other) continue;
        setText(cell, other.textContent);
        if (cell.value !== other.value) cell.value = other.value; // of a bar
      }
    }
  }
  for (const block of fresh.querySelectorAll("[data-block]")) blocks.set(`[data-block="${block.dataset.block}"]`, block);
  if (!placing) place();
  const list = live.querySelector("[data-list]");
  for (const row of fresh.querySelectorAll("[data-alert]")) {
    if (shown.has(row.dataset.alert)) continue;
    shown.set(row.dataset.alert, row);
    if (!list || row.parentElement.dataset.list === undefined) {
      say(row);
      renew();
      return;
    }
    list.append(document.importNode(row, true));
    live.querySelector("[data-none]")?.setAttribute("hidden", "");
    say(row);
  }
}

// place shows the blocks that have changed, texts, tables and links whose size may change with them, once
// nobody's hand is on the page and the focus is elsewhere.
function place() {
  placing = undefined;
  const quiet = performance.now() - touched > 3_000;
  for (const [found, fresh] of blocks) {
    const shown = live.querySelector(found);
    if (shown && shown.outerHTML !== fresh.outerHTML) {
      if (!quiet || shown.contains(document.activeElement)) continue;
      shown.replaceWith(document.importNode(fresh, true));
    }
    blocks.delete(found);
  }
  if (blocks.size) placing = setTimeout(place, 1_000);
}

// announce shows how the node is now. What it says may take more room than before, so it waits until
// nobody's hand is on the page.
function announce(fresh) {
  if (!fresh) return;
  const waits = news;
  news = fresh;
  if (!waits) tell();
}

function tell() {
  if (performance.now() - touched < 3_000) {
    setTimeout(tell, 1_000);
    return;
  }
  const shown = document.querySelector("[data-banner]");
  if (shown.textContent !== news.textContent) shown.replaceWith(document.importNode(news, true));
  news = undefined;
}

// renew loads the wall again, whose buttons have other colours now, once nobody's hand is on it.
function renew() {
  if (performance.now() - touched > 3_000) location.reload();
  else setTimeout(renew, 1_000);
}

// say tells a screen reader one thing: that there is a new alert.
function say(row) {
  const line = live.querySelector("[data-say]");
  const link = row.querySelector("a");
  if (line && link) line.textContent = live.dataset.new + link.textContent.trim();
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
