// Signing in with a passkey. The page works without it: then name, password and code are typed.

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
      const options = await (await fetch("/console/passkey.json")).json();
      const k = await navigator.credentials.get({ publicKey: { ...options, challenge: bytes(options.challenge) } });
      const { clientDataJSON, authenticatorData, signature, userHandle } = k.response;
      form.elements.answer.value = JSON.stringify({ id: k.id, rawId: text(k.rawId), type: k.type, clientExtensionResults: {},
        response: { clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature), userHandle: userHandle ? text(userHandle) : undefined } });
      form.submit();
    } catch {
      says.hidden = false;
    }
  });
}
