// Worker keeps the files of one page, of a screen, a phone or a speaker, so that it loads while no node is
// reached. It keeps no alert: what is in force is the page's to verify and to store. A node puts the page, the
// version and the files in the place of the three words.
const page = 'PAGE'
const version = 'VERSION'
const files = 'FILES'.split(' ')
const own = page.replace(/\//g, '') + '/' // what the names of its caches begin with
const sounds = own + 'sounds'
const soundsMost = 64 // texts that were spoken; the oldest go
const patience = 5000 // ms for the page of a node; after that the kept one is shown

self.addEventListener('install', e => e.waitUntil(keep().then(() => self.skipWaiting())))

self.addEventListener('activate', e => e.waitUntil(
  caches.keys().then(names => Promise.all(names.filter(n => n.startsWith(own) && n !== own + version && n !== sounds).map(n => caches.delete(n)))).then(() => self.clients.claim())))

// keep takes page and files whole, or nothing: a page of another version would ask for files that are not here.
// The page goes last, so that whoever finds it finds its files.
async function keep () {
  const answer = await fetch(new Request(page, { cache: 'reload' }))
  const text = await answer.clone().text()
  if (answer.status !== 200 || text.indexOf('data-version="' + version + '"') < 0) throw new Error('the page is of another version than its worker')
  const kept = await caches.open(own + version)
  await kept.addAll(files)
  await kept.put(page, answer)
}

// The page is asked of the node first; its files never change under their names.
self.addEventListener('fetch', e => {
  const url = new URL(e.request.url)
  if (e.request.method !== 'GET' || url.origin !== location.origin) return
  if (url.pathname === page) e.respondWith(loaded(e.request))
  else if (files.indexOf(url.pathname) >= 0) e.respondWith(ofVersion(url.pathname).then(kept => kept || fetch(e.request)))
  else if (url.pathname.startsWith(page + 'sound/')) e.respondWith(spoken(e.request, url.pathname))
})

// ofVersion is what this version keeps under a name, and never what the page of another version left.
const ofVersion = name => caches.open(own + version).then(kept => kept.match(name))

// loaded is the page as the node gives it. Where the node gives none, is starting, or takes too long, it is
// the kept one.
async function loaded (request) {
  const kept = await ofVersion(page)
  if (!kept) return fetch(request)
  try {
    const answer = await Promise.race([fetch(request), new Promise((resolve, reject) => setTimeout(() => reject(new Error('no answer')), patience))])
    if (answer.status < 500) return answer
  } catch (error) { /* no node is there */ }
  return kept
}

// spoken is a text as a node has spoken it. Its name is that of the text, so that it may be kept; the
// page asks for it only once it has verified the text, and for as long as that is in force.
async function spoken (request, name) {
  const kept = await caches.open(sounds)
  const was = await kept.match(name)
  if (was) return was
  const answer = await fetch(request)
  if (answer.status === 200) {
    const copy = answer.clone()
    try {
      await kept.put(name, copy)
      const all = await kept.keys()
      for (const old of all.slice(0, Math.max(0, all.length - soundsMost))) await kept.delete(old)
    } catch (error) { /* there is no room: it is heard all the same */ }
  }
  return answer
}
