// Join enrols this page as a device: it makes its own secret, which never leaves it but to prove itself
// to a node, and shows a code that a person at the console compares. See CONTRACT.md §2.1.
import { sha256 } from './contract/noble/sha2.js'
import { usable } from './enrol.js'

const again = 2000 // ms between two questions whether a person has decided
const later = 15000 // ms after a refusal

// ticketOf is the ticket behind # of an address; '' where there is none.
export function ticketOf (hash) { return new URLSearchParams(hash.replace(/^#/, '')).get('ticket') || '' }

// digest is the SHA-256 of a text, base64url.
export function digest (text) { return base64url(sha256(new TextEncoder().encode(text))) }

// codeOf is what device and node show: eight digits, bound to the secret of the device, to the nonce of the
// node and to the root key that the device will believe.
export function codeOf (verifier, nonce, root) {
  const sum = sha256(new TextEncoder().encode('almenara enrolment 1\n' + verifier + '\n' + nonce + '\n' + root))
  let n = 0
  for (const byte of sum.subarray(0, 6)) n = n * 256 + byte
  const digits = String(n % 100000000).padStart(8, '0')
  return digits.slice(0, 4) + ' ' + digits.slice(4)
}

// join resolves with what the device was given: {id, secret, root, servers}.
//
//   kind, ticket       'screen' or 'phone'; '' where nobody invited it
//   page               the location of the page
//   load(), save(text) what outlives a reload: it goes on waiting under the same code
//   show({code, node, why})   what the person is shown; why is '', 'used', 'many', 'away' or 'lost'
//   post(path, body)   asks the node; left out: the page's own
//   pause(ms)          left out: a timer
export async function join (options) {
  const { page, load, save, show } = options
  const post = options.post || ask
  const pause = options.pause || (ms => new Promise(resolve => setTimeout(resolve, ms)))
  let ticket = options.ticket
  let waits = JSON.parse(await load() || 'null')
  if (waits && ticket && waits.ticket !== ticket) waits = null
  let why = ''
  for (;;) {
    if (!waits) {
      const begun = await begin(options.kind, ticket, post)
      if (begun.problem) {
        if (begun.problem === 'used') ticket = ''
        why = begun.problem
        show({ code: '', node: '', why })
        await pause(why === 'used' ? again : later)
        continue
      }
      waits = begun
      if (why === 'many' || why === 'lost') why = ''
      await save(JSON.stringify(waits))
    }
    show({ code: codeOf(waits.verifier, waits.nonce, waits.root), node: waits.node, why })
    const told = await post('state', { request: waits.request })
    if (told.status === 200 && told.body.state === 'approved') {
      await save('')
      return { id: told.body.id, secret: waits.secret, root: waits.root, servers: usable(told.body.servers || [], page) }
    }
    why = told.status === 0 ? 'lost' : why === 'lost' ? '' : why
    if (told.status === 200 && told.body.state === 'refused') {
      show({ code: '', node: waits.node, why: why = 'away' })
      waits = null
      await save('')
      await pause(later * 2)
    } else if (told.status === 404) {
      waits = null
      await save('')
    } else {
      await pause(again)
    }
  }
}

// begin makes a secret and takes both steps, or gives {problem}.
async function begin (kind, ticket, post) {
  const secret = base64url(crypto.getRandomValues(new Uint8Array(32)))
  const verifier = digest(secret)
  const asked = await post('ask', { kind, ticket, commitment: digest(verifier) })
  if (asked.status !== 200) return { problem: asked.status === 404 ? 'used' : asked.status === 0 ? 'lost' : 'many' }
  const { request, nonce, root_key: root, node } = asked.body
  const shown = await post('show', { request, verifier })
  if (shown.status !== 200) return { problem: 'lost' }
  return { secret, verifier, ticket, request, nonce, root, node }
}

// ask gives {status, body}; status is 0 where no node answered.
async function ask (path, body) {
  try {
    const answer = await fetch('/enrol/' + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
    return { status: answer.status, body: await answer.json() }
  } catch (error) {
    return { status: 0, body: null }
  }
}

function base64url (bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
}
