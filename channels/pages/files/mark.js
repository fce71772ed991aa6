// Mark is a pattern in the corner of the page that a picture of the screen must show: three cells of
// a known colour, and fifteen that differ from picture to picture, and with what is on the glass.
import { frames, make } from './draw.js'

const columns = 6
const rows = 3

// cellsOf says which cells a mark has: w white, k black, y yellow, b blue. Pure.
export function cellsOf (shot, painted) {
  let hash = 0x811c9dc5 // FNV-1a
  for (const c of shot + ' ' + painted.map(p => p.alert + '/' + p.revision).sort().join(' ')) hash = Math.imul(hash ^ c.codePointAt(0), 0x01000193)
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b) // each bit of it counts for all
  hash ^= hash >>> 13
  let cells = ''
  for (let i = 0; i < columns * rows; i++) {
    if (i === 0) cells += 'w'
    else if (i === columns - 1) cells += 'y'
    else if (i === columns * rows - 1) cells += 'b'
    else cells += (i < 3 ? shot >> i - 1 : hash >>> i) & 1 ? 'w' : 'k' // so that no picture has the mark of the one before
  }
  return cells
}

// partsOf is where a box lies in something of a width and height: left, top, width, height, as parts of
// it; null where it is not wholly inside. Pure.
export function partsOf (box, width, height) {
  if (box.left < 0 || box.top < 0 || box.left + box.width > width || box.top + box.height > height) return null
  return [box.left / width, box.top / height, box.width / width, box.height / height]
}

export class Mark {
  constructor () {
    this.element = null
    this.cells = ''
    this.says = undefined // what the agent is told: the mark as it was painted last
    this.turn = 0
  }

  // draw draws the mark of a picture, and resolves with whether another one than before was painted.
  async draw (shot, painted) {
    if (!shot) return false
    const cells = cellsOf(shot, painted)
    if (cells === this.cells && this.says && this.says.shot === shot) return false
    const turn = ++this.turn
    if (!this.element) {
      this.element = make('div', 'mark')
      this.element.setAttribute('aria-hidden', 'true')
      for (let i = 0; i < cells.length; i++) this.element.append(make('i'))
      document.body.append(this.element)
      document.documentElement.classList.add('marked')
    }
    [...cells].forEach((c, i) => { this.element.children[i].className = c })
    this.cells = cells
    await frames()
    if (turn !== this.turn) return false
    const box = this.element.getBoundingClientRect()
    const page = partsOf(box, window.innerWidth, window.innerHeight)
    const frame = (window.outerWidth - window.innerWidth) / 2 // of the window, where it has one: none in a kiosk
    const above = window.outerHeight - window.innerHeight - frame
    const on = { left: window.screenX + frame + box.left, top: window.screenY + above + box.top, width: box.width, height: box.height }
    const screen = partsOf(on, window.screen.width, window.screen.height)
    this.says = page ? { shot, cells, columns, page, screen: screen || page } : undefined
    return true
  }
}
