// Store keeps what must outlive a power cut: in IndexedDB, whose transactions are flushed to the
// disk before they are done, and in localStorage where a browser has no other, which may lose the
// last seconds.

const name = 'almenara'

// openStore gives {kind: 'indexeddb' | 'localstorage' | 'none', get(key), set(key, text)}, both of
// which return promises. get resolves with null where there is nothing.
export async function openStore () {
  try {
    return databaseStore(await openDatabase())
  } catch (error) {
    return simpleStore()
  }
}

function openDatabase () {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('texts')
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = opening.onblocked = () => reject(opening.error || new Error('another page holds the store'))
  })
}

function databaseStore (db) {
  const act = (mode, give) => new Promise((resolve, reject) => {
    const transaction = db.transaction('texts', mode, { durability: 'strict' })
    const request = give(transaction.objectStore('texts'))
    transaction.oncomplete = () => resolve(request.result)
    transaction.onerror = transaction.onabort = () => reject(transaction.error || new Error('not stored'))
  })
  return {
    kind: 'indexeddb',
    get: key => act('readonly', s => s.get(key)).then(v => v === undefined ? null : v),
    set: (key, text) => act('readwrite', s => s.put(text, key))
  }
}

function simpleStore () {
  const kept = new Map()
  try {
    localStorage.setItem(name + '/probe', '1')
    return {
      kind: 'localstorage',
      get: async key => localStorage.getItem(name + '/' + key),
      set: async (key, text) => localStorage.setItem(name + '/' + key, text)
    }
  } catch (error) {
    return { kind: 'none', get: async key => kept.has(key) ? kept.get(key) : null, set: async (key, text) => { kept.set(key, text) } }
  }
}
