// Enrol reads what a device was given at enrolment: from the part of the address behind #, which
// never leaves the browser, or from a form. It is stored, and taken out of the address.

// read gives {id, secret, root, servers, zone, under} of the parameters behind #, of a link that
// ends so, or of the JSON that 'almenara device enrol --json' prints; it throws a sentence else.
export function read (text, page) {
  const given = text.trim()
  let data
  if (/^[[{]/.test(given)) {
    let parsed = JSON.parse(given)
    if (Array.isArray(parsed)) {
      if (parsed.length !== 1) throw new Error('this is for ' + parsed.length + ' devices; take the entry of one')
      parsed = parsed[0]
    }
    data = { id: parsed.id, secret: parsed.secret, root: parsed.root_key, servers: parsed.servers }
  } else {
    const p = new URLSearchParams(given.slice(given.indexOf('#') + 1))
    data = { id: p.get('id'), secret: p.get('secret'), root: p.get('root'), servers: (p.get('servers') || '').split(',').filter(Boolean) }
    for (const name of ['zone', 'under']) if (p.get(name)) data[name] = p.get(name)
  }
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(data.id || '')) throw new Error('the id of the device is missing')
  if (!data.secret) throw new Error('the secret is missing')
  if (!/^[A-Za-z0-9_-]{43}$/.test(data.root || '')) throw new Error('the root key of the district is missing')
  data.servers = usable(data.servers || [], page)
  if (data.zone) new Intl.DateTimeFormat('en', { timeZone: data.zone }) // throws where there is no such zone
  if (data.under && !/^https?:\/\//.test(data.under)) throw new Error('what runs below must be an address of the web')
  return data
}

// usable are the servers that a page may reach: the node that it came from, and others over
// WebSocket, with TLS where the page itself came over TLS.
export function usable (servers, page) {
  const schemes = page.protocol === 'https:' ? /^wss:\/\// : /^wss?:\/\//
  const own = page.protocol.replace('http', 'ws') + '//' + page.host + '/mqtt'
  return [own].concat(servers.filter(s => schemes.test(s) && s !== own))
}
