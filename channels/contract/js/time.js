// Times of the contract. In payloads they are text (RFC 3339); here they are milliseconds since
// 1970, with fractions. 0 is no time.

const form = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/

// instant reads a time of a payload; 0 where there is none, or the year 1. It throws for
// everything that is not a time.
export function instant (text) {
  if (text === undefined || text === null) return 0
  const p = typeof text === 'string' ? form.exec(text) : null
  if (!p) throw new Error('not a time: ' + String(text).slice(0, 70))
  const [year, month, day, hour, minute, second] = p.slice(1, 7).map(Number)
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && month > 0
  if (!real || hour > 23 || minute > 59 || second > 59 || Number(p[9] || 0) > 23 || Number(p[10] || 0) > 59) {
    throw new Error('not a time: ' + text)
  }
  date.setUTCHours(hour, minute, second)
  const east = (p[8] === '-' ? -1 : 1) * (Number(p[9] || 0) * 60 + Number(p[10] || 0)) * 60000
  const at = date.getTime() - east
  if (at === yearOne && !Number(p[7] || 0)) return 0
  return at + Number(p[7] || 0) * 1000
}

const yearOne = -62135596800000 // what Go writes for no time

// written is the time as payloads have it, in whole milliseconds.
export function written (at) {
  return new Date(Math.floor(at)).toISOString()
}

// monotonic is a clock that nobody can set while the page runs: manifests correct it, and a
// second correction underneath would be counted twice.
export function monotonic () {
  const start = Date.now() - performance.now()
  return () => start + performance.now()
}
