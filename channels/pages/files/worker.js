// Worker keeps the files of the phone's page, so that it loads while no node is reached. It keeps no
// alert: what is in force is the page's to verify and to store. A node puts the version and the
// files in the place of the two words.
const version = 'VERSION'
const files = 'FILES'.split(' ')
const page = '/phone/'

self.addEventListener('install', e => e.waitUntil(
  caches.open('phone/' + version).then(c => c.addAll(files.concat(page))).then(() => self.skipWaiting())))

self.addEventListener('activate', e => e.waitUntil(
  caches.keys().then(names => Promise.all(names.filter(n => n.startsWith('phone/') && n !== 'phone/' + version).map(n => caches.delete(n)))).then(() => self.clients.claim())))

// The page is asked of the node first; its files never change under their names.
self.addEventListener('fetch', e => {
  const url = new URL(e.request.url)
  if (e.request.method !== 'GET' || url.origin !== location.origin) return
  if (url.pathname === page) e.respondWith(fetch(e.request).catch(() => caches.match(page)))
  else if (files.indexOf(url.pathname) >= 0) e.respondWith(caches.match(url.pathname).then(kept => kept || fetch(e.request)))
})
