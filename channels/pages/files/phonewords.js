// Phonewords are the phone page's own texts, in the language that the phone is set to: Chinese or
// English. Answers are what a receipt carries.

export const answers = ['safe', 'help', 'done']

const texts = {
  en: {
    tag: 'en', danger: 'DANGER', caution: 'CAUTION', drill: 'DRILL', drillSays: 'This is a drill, not a real alert',
    safe: 'I am safe', help: 'I need help', done: 'Understood', answered: 'You answered', elsewhere: 'Answered on another of your devices',
    must: 'Answer to go on', more: 'more below', from: 'From', until: 'Valid until', again: 'Say it again',
    nothing: 'No alert in force', unknown: 'Not known yet whether an alert is in force',
    arm: 'Start the shift: turn the sound on', armAgain: 'Try the sound', armed: 'The sound is on', blocked: 'The sound is OFF. Press the button at the start of every shift.',
    limits: 'What this phone does not do',
    asleep: 'A browser does not wake a phone. Keep this page open and in front, with the phone on its charger.',
    insecure: 'This address is not a secure one (https): the page cannot be installed, does not load while no node is reached, and cannot keep the screen on.',
    awake: 'The screen is kept on while this page is in front.', dark: 'The screen goes dark by itself: set the phone to stay on.',
    silent: 'This browser has no voice for these languages: it sounds a tone, and speaks no text.', still: 'This phone does not vibrate for a page.',
    away: (from, to) => 'This page was not in front from ' + from + ' to ' + to + ': nothing sounded in that time.',
    over: 'Another page of this device has taken over. This one shows nothing any more.', refused: 'This phone is not enrolled any more. Ask whoever manages the devices.',
    join: 'Add this phone', joinSays: 'Have somebody compare these digits at the console, and let this phone in:',
    whys: { '': '', used: 'This code to scan was used already, or is too old. The digits above hold all the same.', many: 'Too many devices wait. It tries again by itself.', away: 'The console has sent this phone away.', lost: 'The node does not answer. It tries again by itself.' }
  },
  'zh-Hant': {
    tag: 'zh-Hant', danger: '危險', caution: '注意', drill: '演習', drillSays: '這是演習，不是真實警報',
    safe: '我安全', help: '我需要協助', done: '已知悉', answered: '你已回覆', elsewhere: '已在你的另一部裝置回覆',
    must: '請回覆以繼續', more: '下面還有', from: '發出', until: '有效至', again: '再讀一次',
    nothing: '現時沒有生效警報', unknown: '尚未知道是否有生效警報',
    arm: '開始當值：開啟聲音', armAgain: '試聽聲音', armed: '聲音已開啟', blocked: '聲音未開啟。每次當值開始時請按此鍵。',
    limits: '這部手機做不到的事',
    asleep: '瀏覽器不會喚醒手機。請保持此頁面開啟並在最前，手機接上充電器。',
    insecure: '此網址並非安全連線（https）：頁面不能安裝，連不上節點時不能載入，亦不能保持屏幕開啟。',
    awake: '此頁面在最前時，屏幕會保持開啟。', dark: '屏幕會自動關閉：請在手機設定保持開啟。',
    silent: '此瀏覽器沒有這些語言的語音：只會響聲，不會讀出內容。', still: '此手機不會為網頁震動。',
    away: (from, to) => '此頁面由 ' + from + ' 至 ' + to + ' 不在最前：期間沒有響聲。',
    over: '此裝置的另一頁面已接手。這一頁不再顯示警報。', refused: '這部手機已被撤銷登記。請聯絡裝置管理人員。',
    join: '加入這部手機', joinSays: '請有關人員在控制台核對以上數字，並接納這部手機：',
    whys: { '': '', used: '此二維碼已使用或已過期。以上數字仍然有效。', many: '等候的裝置太多，會自動再試。', away: '控制台已拒絕這部手機。', lost: '節點沒有回應，會自動再試。' }
  }
}

// wordsFor are the texts for a person's languages, in their order.
export function wordsFor (languages) {
  for (const tag of languages) {
    if (/^(zh|yue)\b/i.test(tag)) return texts['zh-Hant']
    if (/^en\b/i.test(tag)) return texts.en
  }
  return texts.en
}
