// Adding a passkey: the browser makes it before the form is sent. What else the page does works without it.

const form = document.querySelector("[data-passkey]");
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

if (form && window.PublicKeyCredential && window.isSecureContext) {
  const says = document.querySelector("[data-passkey-says]");
  form.hidden = false;
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    says.hidden = true;
    try {
      const options = await (await fetch("/console/account/passkey.json")).json();
      const k = await navigator.credentials.create({ publicKey: { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: (options.excludeCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) })) } });
      form.elements.answer.value = JSON.stringify({ id: k.id, rawId: text(k.rawId), type: k.type, clientExtensionResults: {},
        response: { clientDataJSON: text(k.response.clientDataJSON), attestationObject: text(k.response.attestationObject) } });
      form.submit();
    } catch {
      says.hidden = false;
    }
  });
}
