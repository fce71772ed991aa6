// A photo of a phone is larger than a node looks at: it is drawn anew, smaller, before it is sent, which also
// leaves out what the camera wrote beside it. Without this script the form is sent as it is.
'use strict'
const longest = 1280
const most = 900 * 1024

function smaller (file) {
  return new Promise((resolve, reject) => {
    const image = new Image()
    image.onerror = () => reject(new Error('it is no picture'))
    image.onload = () => {
      const scale = Math.min(1, longest / Math.max(image.naturalWidth, image.naturalHeight))
      const canvas = document.createElement('canvas')
      canvas.width = Math.max(1, Math.round(image.naturalWidth * scale))
      canvas.height = Math.max(1, Math.round(image.naturalHeight * scale))
      canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height)
      URL.revokeObjectURL(image.src)
      canvas.toBlob(blob => blob && blob.size <= most ? resolve(blob) : reject(new Error('it stays too large')), 'image/jpeg', 0.75)
    }
    image.src = URL.createObjectURL(file)
  })
}

for (const form of document.querySelectorAll('form[enctype]')) {
  const input = form.querySelector('input[type=file]')
  if (!input) continue
  input.addEventListener('change', async () => {
    const file = input.files[0]
    if (!file || file.made) return
    const button = form.querySelector('button')
    button.disabled = true
    try {
      const blob = await smaller(file)
      const made = new File([blob], 'photo.jpg', { type: 'image/jpeg' })
      made.made = true
      const list = new DataTransfer()
      list.items.add(made)
      input.files = list.files
    } catch (error) { /* it is sent as it is, and the node says what it makes of it */ }
    button.disabled = false
  })
}
