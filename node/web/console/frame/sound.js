// What the console sounds, once a person has pressed for it: an alert that is an emergency comes into force,
// or was sent from here, and in another way a drill. Every page works without it, and it never says more
// than the page does. A browser plays nothing before somebody has touched the page, so the mark says
// whether it would be heard now.

const mark = document.querySelector("[data-sound]");
const shown = document.querySelector("[data-live]"), sent = shown?.querySelector("[data-sent]");
const wish = "almenara-sound", heard = "almenara-sounded";

// The notes of each tone: hertz, and seconds from its beginning. None is like what devices sound.
const tones = {
  live: { wave: "square", loud: 0.12, long: 0.14, notes: [[880, 0], [660, 0.16], [880, 0.32], [660, 0.48], [880, 0.64], [660, 0.8]] },
  drill: { wave: "sine", loud: 0.25, long: 0.25, notes: [[440, 0], [440, 0.5], [440, 1]] },
  armed: { wave: "sine", loud: 0.1, long: 0.12, notes: [[523, 0]] },
};

let player, due;

if (mark && shown && "AudioContext" in window) {
  mark.hidden = false;
  mark.addEventListener("click", press);
  if (wanted()) arm();
  tell();
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, (e) => player?.state === "suspended" && !mark.contains(e.target) && player.resume(), { passive: true });
  const first = !remembered();
  if (first) remember([]);
  for (const row of shown.querySelectorAll("[data-tone]")) first ? isNew(row.dataset.alert) : arrived(row);
  if (sent && isNew(shown.dataset.of)) sound(sent.dataset.sent);
  new MutationObserver(changed).observe(shown, { childList: true, subtree: true, attributeFilter: ["data-tone"] });
}

function wanted() {
  try { return localStorage.getItem(wish) === "on"; } catch { return false; }
}

function press() {
  const on = !(wanted() && player?.state === "running");
  try { localStorage.setItem(wish, on ? "on" : "off"); } catch { /* it holds for this page then */ }
  if (on) {
    arm();
    player.resume().then(() => sound("armed"));
  } else {
    player?.close();
    player = undefined;
  }
  tell();
}

function arm() {
  player ??= new AudioContext();
  player.onstatechange = () => {
    tell();
    if (due && player?.state === "running" && performance.now() - due.at < 3_000) sound(due.name);
    due = undefined;
  };
}

// tell says on the mark whether a tone would be heard.
function tell() {
  const on = player?.state === "running";
  mark.classList.toggle("armed", on);
  mark.textContent = on ? mark.dataset.heard : player ? mark.dataset.waits : mark.dataset.silent;
}

function changed(changes) {
  for (const { target, addedNodes } of changes) {
    for (const node of [target, ...addedNodes]) {
      if (node.dataset?.tone) arrived(node);
      for (const row of node === target ? [] : node.querySelectorAll?.("[data-tone]") ?? []) arrived(row);
    }
  }
}

// arrived sounds an alert that has come into force, once in this tab, also after a page was turned.
function arrived(row) {
  if (row.dataset.tone && isNew(row.dataset.alert)) sound(row.dataset.tone);
}

// isNew notes that the tone of an alert was due, and reports whether it was not before.
function isNew(alert) {
  const all = remembered() ?? [];
  if (all.includes(alert)) return false;
  remember([...all.slice(-999), alert]);
  return true;
}

function remember(all) {
  try { sessionStorage.setItem(heard, JSON.stringify(all)); } catch { /* it sounds again on the next page */ }
}

function remembered() {
  try { return JSON.parse(sessionStorage.getItem(heard)); } catch { return null; }
}

function sound(name) {
  const tone = tones[name];
  if (!tone || !player) return;
  if (player.state !== "running") {
    due = { name, at: performance.now() }; // a browser may take a moment to begin, or a touch
    return;
  }
  mark.dataset.last = name;
  for (const [hertz, from] of tone.notes) {
    const at = player.currentTime + 0.02 + from, note = player.createOscillator(), volume = player.createGain();
    note.type = tone.wave;
    note.frequency.value = hertz;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(tone.loud, at + 0.01);
    volume.gain.linearRampToValueAtTime(0, at + tone.long);
    note.connect(volume).connect(player.destination);
    note.start(at);
    note.stop(at + tone.long);
  }
}
