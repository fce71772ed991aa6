// Counts follow what is typed. Without this script the button does the same. The field is never made
// anew, and an answer that comes after a later one is passed over.

const form = document.querySelector("[data-select]");
const found = document.querySelector("[data-found]");
const count = document.querySelector("[data-count]");
const pause = 300; // ms without a key before the node is asked

let due, asked = 0;

if (form && found) {
  form.elements.expr.addEventListener("input", () => {
    found.classList.add("old"); // what is shown is not of what is typed
    clearTimeout(due);
    due = setTimeout(look, pause);
  });
}

async function look() {
  const mine = ++asked;
  const path = form.action + "?" + new URLSearchParams(new FormData(form));
  try {
    const answer = await fetch(path, { headers: { "Almenara-Part": "1" }, redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-found]");
    if (mine !== asked || !fresh) return;
    found.replaceChildren(...document.importNode(fresh, true).childNodes);
    found.classList.remove("old");
    count.textContent = found.querySelector("[data-says]")?.textContent ?? "";
    history.replaceState(null, "", path);
  } catch { /* what is shown stays marked as old; the button asks again */ }
}
