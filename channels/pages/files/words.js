// Words are the page's own texts. Chinese comes first everywhere; a language that has no words
// here gets the English ones, because its own text says the rest.

export const words = {
  'zh-Hant': {
    danger: '危險', caution: '注意', drill: '演習', drillSays: '這是演習，不是真實警報', unconfirmed: '重新啟動前顯示，其後未獲節點確認',
    until: '有效至', from: '發出', area: '地區', begins: '開始',     lastWord: '最後收到訊息', ago: '前', never: '尚未收到任何訊息', connected: '已連線', lost: '連線中斷',
    minutes: '分鐘', hours: '小時', days: '日', seconds: '秒', nothing: '現時沒有生效警報', scan: '用電話掃描：已知悉／求助'
  },
  en: {
    danger: 'DANGER', caution: 'CAUTION', drill: 'DRILL', drillSays: 'This is a drill, not a real alert', unconfirmed: 'Shown before a restart; not confirmed by a node since',
    until: 'Valid until', from: 'From', area: 'Area', begins: 'Begins',     lastWord: 'last word', ago: 'ago', never: 'no word yet', connected: 'connected', lost: 'connection lost',
    minutes: 'minutes', hours: 'hours', days: 'days', seconds: 'seconds', nothing: 'no alert in force', scan: 'Scan with a phone: seen it / need help'
  }
}
words['zh-Hans'] = Object.assign({}, words['zh-Hant'], {
  danger: '危险', drill: '演习', drillSays: '这是演习，不是真实警报', unconfirmed: '重新启动前显示，其后未获节点确认', from: '发出', area: '地区', begins: '开始',
  lastWord: '最后收到讯息', never: '尚未收到任何讯息', connected: '已连线', lost: '连线中断', scan: '用手机扫描：已知悉／求助', minutes: '分钟', hours: '小时', until: '有效至'
})

// spoken are the words of a language tag of an alert.
export function spoken (language) {
  const tag = String(language).toLowerCase()
  if (!isChinese(tag)) return words.en
  return /hans|-cn|-sg/.test(tag) ? words['zh-Hans'] : words['zh-Hant']
}

// rightToLeft says whether a language is written so: by itself, or because its tag names such a script.
export function rightToLeft (language) { return /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)(-|$)|-(arab|hebr|thaa)(-|$)/i.test(language) }

export function isChinese (language) { return /^(zh|yue|cmn|nan|hak)(-|$)/i.test(language) }

// ago says how long something is past, in the largest unit.
export function ago (ms, w) {
  const cjk = w !== words.en
  const say = (n, unit) => cjk ? n + ' ' + unit + w.ago : n + ' ' + (n === 1 ? unit.slice(0, -1) : unit) + ' ' + w.ago
  const s = Math.max(0, Math.floor(ms / 1000))
  if (s < 60) return say(s, w.seconds)
  if (s < 3600) return say(Math.floor(s / 60), w.minutes)
  if (s < 2 * 86400) return say(Math.floor(s / 3600), w.hours)
  return say(Math.floor(s / 86400), w.days)
}
