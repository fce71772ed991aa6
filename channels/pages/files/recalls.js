// Recalls asks the node of this page whether an alert recalls who was where this phone checked in. The visits are in a
// cookie that no script reads; the node compares them and keeps nothing. Without a node nothing is said.
const every = 60000 // ms

// watchRecalls keeps a list of links in a section, which is hidden while there are none.
export function watchRecalls (section, words) {
  const title = document.createElement('h2')
  const list = document.createElement('ul')
  title.textContent = words.recalls
  section.replaceChildren(title, list)
  const look = async () => {
    try {
      const answer = await fetch('/r/recalls', { cache: 'no-store' })
      if (answer.status !== 200) return
      const all = linksOf(await answer.json())
      list.replaceChildren(...all.map(r => {
        const item = document.createElement('li')
        const link = document.createElement('a')
        const text = document.createElement('bdi')
        link.href = r.path
        text.textContent = r.headline
        link.append(text)
        item.append(link)
        return item
      }))
      section.hidden = all.length === 0
    } catch (error) { /* no node answers: what is shown stays */ }
  }
  setInterval(look, every)
  document.addEventListener('visibilitychange', () => { if (!document.hidden) look() })
  look()
}

// linksOf are what a node answered, as far as it leads to a recall of this node.
export function linksOf (answer) {
  return (Array.isArray(answer) ? answer : []).filter(r => r && typeof r.headline === 'string' && /^\/r\/recall\/[a-z2-7]{26}$/.test(r.path)).slice(0, 16)
}
