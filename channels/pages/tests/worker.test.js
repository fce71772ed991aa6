import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import vm from 'node:vm'

const source = readFileSync(new URL('../files/worker.js', import.meta.url), 'utf8')
const origin = 'https://node.example'

class Answer {
  constructor (text, status = 200) { this.text_ = text; this.status = status }
  clone () { return this }
  async text () { return this.text_ }
}

// Browser is what a worker has around it: one store of caches, as one origin has, and a network.
class Browser {
  constructor () {
    this.caches = new Map()
    this.network = new Map() // path to answer, or an error
    this.asked = []
  }

  fetch (request) {
    const path = typeof request === 'string' ? request : request.path || new URL(request.url).pathname
    this.asked.push(path)
    const answer = this.network.get(path)
    if (answer === 'silent') return new Promise(() => {})
    return answer instanceof Answer ? Promise.resolve(answer) : Promise.reject(new Error('no network'))
  }

  cache (name) {
    if (!this.caches.has(name)) this.caches.set(name, new Map())
    const held = this.caches.get(name)
    return {
      match: async path => held.get(path),
      put: async (path, answer) => { held.set(path, answer) },
      addAll: async paths => {
        const answers = await Promise.all(paths.map(p => this.fetch(p)))
        if (answers.some(a => a.status !== 200)) throw new Error('not all are there')
        paths.forEach((p, i) => held.set(p, answers[i]))
      },
      keys: async () => [...held.keys()],
      delete: async path => held.delete(path)
    }
  }

  // worker starts a worker of a page and a version; install and ask are what a browser does with it.
  worker (page, version, files = ['/screen/' + version + '/a.js', '/screen/' + version + '/b.js']) {
    const handlers = {}
    const text = source.replace("'PAGE'", JSON.stringify(page)).replace("'VERSION'", JSON.stringify(version)).replace("'FILES'", JSON.stringify(files.join(' ')))
    vm.runInNewContext(text, {
      URL, Promise, Error, setTimeout: f => setTimeout(f, 0), location: { origin }, fetch: r => this.fetch(r),
      Request: function (path, how) { this.path = path; this.how = how },
      caches: {
        open: async name => this.cache(name), keys: async () => [...this.caches.keys()], delete: async name => this.caches.delete(name)
      },
      self: { addEventListener: (name, f) => { handlers[name] = f }, skipWaiting: async () => {}, clients: { claim: async () => {} } }
    })
    const begin = name => new Promise((resolve, reject) => handlers[name]({ waitUntil: p => p.then(resolve, reject) }))
    return {
      install: async () => { await begin('install'); await begin('activate') },
      installOnly: () => begin('install'),
      ask: async (path, from = origin, method = 'GET') => {
        let given = null
        handlers.fetch({ request: { url: from + path, method }, respondWith: p => { given = p } })
        return given === null ? 'left alone' : (await given).text_
      }
    }
  }

  // installed is the worker of a page that the node serves, at work.
  async installed (page, version) {
    this.serve(page, version)
    const w = this.worker(page, version)
    await w.install()
    return w
  }

  serve (page, version, files = ['a.js', 'b.js']) {
    this.network.clear()
    this.network.set(page, new Answer('<html data-version="' + version + '">'))
    for (const f of files) this.network.set('/screen/' + version + '/' + f, new Answer(f + ' of ' + version))
  }
}

test('the page loads whole while no node is reached, starting, or silent', async () => {
  const b = new Browser()
  const w = await b.installed('/screen/', 'one')
  for (const down of [undefined, new Answer('starting', 503), 'silent']) {
    b.network.clear()
    if (down) b.network.set('/screen/', down)
    assert.equal(await w.ask('/screen/?overlay=true'), '<html data-version="one">')
    assert.equal(await w.ask('/screen/one/a.js'), 'a.js of one')
  }
})

test('a node that answers is asked first, and what it says counts', async () => {
  const b = new Browser()
  const w = await b.installed('/screen/', 'one')
  b.serve('/screen/', 'two')
  assert.equal(await w.ask('/screen/'), '<html data-version="two">')
  b.network.set('/screen/', new Answer('gone', 404))
  assert.equal(await w.ask('/screen/'), 'gone')
})

test('two versions are never mixed', async () => {
  const b = new Browser()
  const one = await b.installed('/screen/', 'one')
  b.serve('/screen/', 'two')
  const two = b.worker('/screen/', 'two')
  await two.installOnly()
  b.network.clear()
  assert.equal(await one.ask('/screen/'), '<html data-version="one">', 'the old worker gives the old page, although the new one is kept already')
  assert.equal(await two.ask('/screen/'), '<html data-version="two">', 'and the new one the new page, although the old one is kept still')
  await two.install().catch(() => {})
})

test('a version is taken whole or not at all', async () => {
  const b = new Browser()
  b.serve('/screen/', 'one')
  await b.worker('/screen/', 'one').install()
  b.serve('/screen/', 'three')
  await assert.rejects(b.worker('/screen/', 'two').install(), /another version/)
  b.serve('/screen/', 'two', ['a.js'])
  await assert.rejects(b.worker('/screen/', 'two').install(), /no network/)
  assert.equal(b.caches.get('screen/two').size, 0)
  b.network.clear()
  assert.equal(await b.worker('/screen/', 'one').ask('/screen/'), '<html data-version="one">', 'what was there is there')
})

test('an old version goes once the new one is there, and nothing of other pages does', async () => {
  const b = new Browser()
  b.serve('/phone/', 'one')
  await b.worker('/phone/', 'one').install()
  b.serve('/screen/', 'one')
  await b.worker('/screen/', 'one').install()
  b.serve('/screen/', 'two')
  await b.worker('/screen/', 'two').install()
  assert.deepEqual([...b.caches.keys()].sort(), ['phone/one', 'screen/two'])
})

test('nothing else of the node, no other origin and nothing that is sent is answered', async () => {
  const b = new Browser()
  const w = await b.installed('/screen/', 'one')
  b.asked.length = 0
  assert.equal(await w.ask('/screen/', 'https://other.example'), 'left alone')
  assert.equal(await w.ask('/screen/one/a.js', 'https://node.example:8443'), 'left alone', 'another port is another node')
  assert.equal(await w.ask('/api/v1/alerts'), 'left alone')
  assert.equal(await w.ask('/phone/'), 'left alone')
  assert.equal(await w.ask('/screen/two/a.js'), 'left alone', 'a file of another version is the network\'s')
  assert.equal(await w.ask('/screen/', origin, 'POST'), 'left alone')
  assert.deepEqual(b.asked, [])
})
