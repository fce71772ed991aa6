// Speakerwords are the speaker page's own texts, in Chinese or English.

const texts = {
  en: {
    sounds: 'Announcing now', ready: 'Ready to announce', cut: 'NOT CONNECTED: a new alert is not announced', blocked: 'SILENT: the browser lets nothing be heard',
    arm: 'Press once: turn the sound on', armAgain: 'Try the sound', nothing: 'No alert in force', unknown: 'Not known yet whether an alert is in force',
    refused: 'This speaker is not enrolled any more. Ask whoever manages the devices.', over: 'Another page of this device has taken over. This one announces nothing any more.',
    heard: 'Announced to the end', plays: 'Announcing', waits: 'Waits for its turn', silent: 'Not heard', unconfirmed: 'Not announced: it waits for a node',
    settings: 'Volume', level: 'By day:', nightLevel: 'At night:', night: 'Night, from hour to hour', says: 'Emergencies are always as loud as it gets.',
    join: 'Add this speaker', joinSays: 'Compare these digits at the console, and let this speaker in:', noVoice: 'no voice'
  },
  'zh-Hant': {
    sounds: '正在廣播', ready: '準備就緒', cut: '沒有連線：不會廣播新警報', blocked: '沒有聲音：瀏覽器禁止發聲',
    arm: '按一下以開啟聲音', armAgain: '試聽聲音', nothing: '現時沒有生效警報', unknown: '尚未知道是否有生效警報',
    refused: '此揚聲器已被撤銷登記。請聯絡裝置管理人員。', over: '此裝置的另一頁面已接手。這一頁不再廣播。',
    heard: '已廣播完畢', plays: '正在廣播', waits: '輪候廣播', silent: '未能播出', unconfirmed: '暫不廣播：等候節點確認',
    settings: '音量', level: '日間：', nightLevel: '夜間：', night: '夜間時段（由幾時至幾時）', says: '緊急警報一律以最大音量播出。',
    join: '加入此揚聲器', joinSays: '請在控制台核對以上數字，並接納此揚聲器：', noVoice: '沒有語音'
  }
}

export const speakerWords = tag => texts[tag]
