// A press that says what became of it also where no answer comes. The page works without it.

const form = document.querySelector("[data-send]");
const key = "almenara-draft";

history.replaceState(null, "", location.href); // so that to go back asks for the form, and sends none again

// A press whose answer is lost may have been heard. The form stays as it is, so that pressing again sends
// the same message, which is never sent twice.
form?.addEventListener("submit", async (e) => {
  if (e.submitter?.hasAttribute("formaction")) return;
  e.preventDefault();
  const says = form.querySelector("[data-answer]");
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  try {
    const held = JSON.parse(sessionStorage.getItem(key));
    if (held && form.getAttribute("action") === "/console/compose/send") sessionStorage.setItem(key, JSON.stringify({ ...held, fields: [...new FormData(form)].filter(([name]) => !["word", "password"].includes(name)), pressed: true }));
  } catch { /* without a draft */ }
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)), signal: AbortSignal.timeout(40_000) });
    if (answer.ok && answer.redirected) {
      sessionStorage.removeItem(key);
      location.assign(answer.url);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const again = page.querySelector("[data-send]"); // the same page, with what is wrong
    const parts = again ? page.querySelectorAll(".wrong:not([hidden])") : page.querySelectorAll(`main > .wrong, main > [data-said], main > p:has(a[href^="/console/alerts/"])`);
    says.replaceChildren(...[...parts].map((part) => document.importNode(part, true)));
    for (const part of says.children) part.className = "";
  } catch {
    says.textContent = form.dataset.lost;
  }
  delete form.dataset.busy;
  says.hidden = false;
  says.scrollIntoView({ block: "center" });
  form.querySelector("[name=word]")?.focus();
});
