// Phonewords are the phone page's own texts, in the language that the phone is set to: Chinese or
// English. Answers are what a receipt carries.

export const answers = ['safe', 'help', 'done']

const texts = {
  en: {
    tag: 'en', danger: 'DANGER', caution: 'CAUTION', drill: 'DRILL', drillSays: 'This is a drill, not a real alert',
    safe: 'I am safe', help: 'I need help', done: 'Understood', answered: 'You answered', colon: ': ', elsewhere: 'Answered on another of your devices', change: 'Change my answer', keep: 'Keep my answer',
    illegible: 'This phone has no letters for this text: ask somebody what it says',
    unconfirmed: 'Shown before this page was loaded again; no node has confirmed it since', must: 'Answer to go on', more: 'more below', from: 'From', issued: at => 'sent ' + at, until: 'Valid until', again: 'Say it again',
    recalls: 'You were there: please read this',
    nothing: 'No alert in force', unknown: 'Not known yet whether an alert is in force',
    arm: 'Start the shift: turn the sound on', armAgain: 'Try the sound', armed: 'The sound is on', blocked: 'The sound is OFF. Press the button at the start of every shift.',
    limits: 'What this phone does not do',
    asleep: 'A browser does not wake a phone. Keep this page open and in front, with the phone on its charger.',
    insecure: 'This address is not a secure one (https): the page cannot be installed, does not load while no node is reached, and cannot keep the screen on.',
    awake: 'The screen is kept on while this page is in front.', dark: 'The screen goes dark by itself: set the phone to stay on.',
    silent: 'This browser has no voice for these languages: it sounds a tone, and speaks no text.', still: 'This phone does not vibrate for a page.',
    away: (from, to) => 'This page was not in front from ' + from + ' to ' + to + ': nothing sounded in that time.',
    over: 'Another page of this device has taken over. This one shows nothing any more.', refused: 'This phone is not enrolled any more. Ask whoever manages the devices.',
    report: 'Report something', reporting: 'What do you want to report?', kind: 'Choose one',
    kinds: { need_help: 'I need help', hazard: 'Danger here', blocked_way: 'Way blocked', damage: 'Something is broken', all_clear: 'All is well here', other: 'Something else', position: 'Where I am' },
    photo: 'Take or choose a photo', photoAgain: 'Take another photo', text: 'What do you see? (not necessary)', place: 'Where: floor, door, street (not necessary)', position: 'Send where this phone is', of: 'It belongs to', ofNone: 'no alert',
    send: 'Send the report', back: 'Back', noKind: 'Choose first what it is about.', noText: 'Write a few words, or take a photo.', noPhoto: 'This file is no photo that this phone can read. It was left out.', longText: 'The text is too long. Make it shorter.', noPosition: 'This phone did not say where it is. The report is sent without.', full: 'Twenty reports wait already. Wait until they are sent.', unkept: 'This phone could not store the report. It is lost if you close the page before it is sent.',
    told: 'Your reports', waiting: 'Waiting: it is sent once a node is reached', sending: 'Sending…', sent: at => 'Sent at ' + at,
    refusals: { many: 'Refused: too many reports in an hour.', payload: 'Refused: the node could not read it.', unwanted: 'Refused: this district takes no reports.' }, sendAgain: 'Send again',
    share: of => 'Share where I am, for: ' + of, unshare: 'Stop sharing where I am', shared: at => 'Where you are was sent at ' + at, sharing: 'Where you are is being shared while this page is in front.', unshared: 'This phone does not say where it is.',
    join: 'Add this phone', joinSays: 'Have somebody compare these digits at the console, and let this phone in:',
    whys: { '': '', used: 'This code to scan was used already, or is too old. The digits above hold all the same.', many: 'Too many devices wait. It tries again by itself.', away: 'The console has sent this phone away.', lost: 'The node does not answer. It tries again by itself.' }
  },
  'zh-Hant': {
    tag: 'zh-Hant', danger: '危險', caution: '注意', drill: '演習', drillSays: '這是演習，不是真實警報',
    safe: '我安全', help: '我需要協助', done: '已知悉', answered: '你已回覆', colon: '：', elsewhere: '已在你的另一部裝置回覆', change: '更改回覆', keep: '保留回覆',
    illegible: '此手機沒有這段文字的字元，無法顯示：請向他人查詢內容',
    unconfirmed: '此頁面重新載入前顯示，其後未獲節點確認', must: '請回覆以繼續', more: '下面還有', from: '來自', issued: at => at + ' 發出', until: '有效至', again: '再讀一次',
    recalls: '你曾到訪該處，請閱讀：',
    nothing: '現時沒有生效警報', unknown: '尚未知道是否有生效警報',
    arm: '開始當值：開啟聲音', armAgain: '試聽聲音', armed: '聲音已開啟', blocked: '聲音未開啟。每次當值開始時請按此鍵。',
    limits: '這部手機做不到的事',
    asleep: '瀏覽器不會喚醒手機。請保持此頁面開啟並在最前，手機接上充電器。',
    insecure: '此網址並非安全連線（https）：頁面不能安裝，連不上節點時不能載入，亦不能保持屏幕開啟。',
    awake: '此頁面在最前時，屏幕會保持開啟。', dark: '屏幕會自動關閉：請在手機設定保持開啟。',
    silent: '此瀏覽器沒有這些語言的語音：只會響聲，不會讀出內容。', still: '此手機不會為網頁震動。',
    away: (from, to) => '此頁面由 ' + from + ' 至 ' + to + ' 不在最前：期間沒有響聲。',
    over: '此裝置的另一頁面已接手。這一頁不再顯示警報。', refused: '這部手機已被撤銷登記。請聯絡裝置管理人員。',
    report: '報告情況', reporting: '你想報告甚麼？', kind: '請選一項',
    kinds: { need_help: '我需要協助', hazard: '這裏有危險', blocked_way: '通道受阻', damage: '有東西損壞', all_clear: '這裏一切正常', other: '其他情況', position: '我的位置' },
    photo: '拍照或選擇相片', photoAgain: '再拍一張', text: '你看到甚麼？（可不填）', place: '位置：樓層、門牌、街道（可不填）', position: '傳送這部手機的位置', of: '相關警報', ofNone: '與警報無關',
    send: '傳送報告', back: '返回', noKind: '請先選擇報告的類別。', noText: '請寫幾個字，或拍一張相片。', noPhoto: '這部手機不能讀取此相片，已略去。', longText: '文字太長，請縮短。', noPosition: '這部手機沒有提供位置，報告會不連位置傳送。', full: '已有二十份報告等候，請待傳送後再試。', unkept: '這部手機未能儲存報告。如在傳送前關閉頁面，報告會遺失。',
    told: '你的報告', waiting: '等候中：連上節點後會傳送', sending: '傳送中…', sent: at => '已於 ' + at + ' 傳送',
    refusals: { many: '被拒：一小時內報告太多。', payload: '被拒：節點不能讀取。', unwanted: '被拒：此地區不接收報告。' }, sendAgain: '再次傳送',
    share: of => '分享我的位置：' + of, unshare: '停止分享我的位置', shared: at => '位置已於 ' + at + ' 傳送', sharing: '此頁面在最前時，會分享你的位置。', unshared: '這部手機沒有提供位置。',
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
