// Code is the QR code with which residents answer an alert: the command answer has it as a bit for each module.

// codeOf reads a command: {modules, black, expires}, black being a string of 0 and 1, row after row; null where it
// is no code.
export function codeOf (command) {
  const n = command.modules
  if (!(n >= 21 && n <= 177 && n % 4 === 1) || !command.alert) return null
  let bits = ''
  try {
    bits = atob(command.code)
  } catch (error) {
    return null
  }
  if (bits.length !== Math.ceil(n * n / 8)) return null
  let black = ''
  for (let i = 0; i < n * n; i++) black += bits.charCodeAt(i >> 3) >> (7 - i % 8) & 1
  return { modules: n, black, expires: Date.parse(command.expires) }
}

// quiet is the white margin, in modules (ISO/IEC 18004).
export const quiet = 4

// pathOf is the black modules as an SVG path, with the margin around them.
export function pathOf (code) {
  let path = ''
  for (let y = 0; y < code.modules; y++) {
    for (let x = 0; x < code.modules; x++) {
      const from = x
      while (x < code.modules && code.black[y * code.modules + x] === '1') x++
      if (x > from) path += 'M' + (from + quiet) + ' ' + (y + quiet) + 'h' + (x - from) + 'v1h-' + (x - from) + 'z'
    }
  }
  return path
}

// leastModule is how large a module must be, in pixels, or a telephone does not read it.
const leastModule = 3

// spaceFor is how much of a place a code takes: {side, below}, side in pixels of the square with its margin, below
// where it stands below the lines and not beside them; null where it would be too small to be read, or takes too much
// of the room of what has to be read.
export function spaceFor (code, place) {
  if (!code) return null
  const upright = place.width < place.height * 1.1
  const side = Math.floor(Math.min(Math.min(place.width, place.height) * (upright ? 0.36 : 0.38), place.width * 0.3))
  if (side < (code.modules + 2 * quiet) * leastModule) return null
  return { side, below: upright }
}
