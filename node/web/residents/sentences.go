package residents

import (
	"almenara/node/residents/refusals"
	"almenara/node/wire"
)

// refusal is why somebody is refused something, in one sentence of each language.
type refusal struct{ Zh, En string }

var sentences = map[refusals.Reason]refusal{
	refusals.BadLink:   {"這個連結無效，請再掃描二維碼。", "This link is not valid. Scan the code again."},
	refusals.TooOld:    {"這個連結已過期，請再掃描顯示屏上的二維碼。", "This link is too old. Scan the code on the screen again."},
	refusals.Removed:   {"產生這個連結的設備已不屬於本區，請掃描另一個顯示屏的二維碼。", "The box that made this link is no part of the district any more. Scan the code of another screen."},
	refusals.NoPlace:   {"這個連結的地點已不存在，請再掃描二維碼。", "The place of this link does not exist any more. Scan the code again."},
	refusals.Over:      {"這個警報已結束，或此處查不到。", "This alert is over, or it is not known here."},
	refusals.Elsewhere: {"這個警報已不涉及這個地點。", "This alert does not concern this place any more."},
	refusals.NotAsked:  {"這個警報不接受這種回覆。", "This alert does not take this answer."},
	refusals.Empty:     {"請先選擇相片。", "Choose a photo first."},
	refusals.BadPhoto:  {"相片未能接收：只接受較小的 JPEG 相片，請以較低的解像度再拍。", "The photo was not taken: it must be a small JPEG. Take it again at a lower resolution."},
	refusals.TooMany:   {"回覆太多，暫時未能接收，請稍後再試。如有危險請致電 999。", "There are too many answers to take this one now. Try again later. In danger, call 999."},
	refusals.NoHelp:    {"你的求助未能接收，因為這裡的求助太多。如有危險，請立即致電 999；亦請通知身邊的人或大廈管理處，並在數分鐘後再試。", "Your request for help was NOT taken, because too many come from here. In danger, call 999 now; tell people near you or the building's management, and try again in some minutes."},
	refusals.NotReady:  {"這個節點暫時未能接收回覆，請再試。如有危險請致電 999。", "This box cannot take an answer now. Try again. In danger, call 999."},
	refusals.NoVisits:  {"這部電話沒有與這個通知有關的到訪紀錄。", "This phone has no visit that this alert is about."},
	refusals.CodeOld:   {"這個地方的二維碼已失效，或不屬於本區。請通知這裡的負責人更換。", "The code of this place is out of date, or not of this district. Tell whoever is in charge here."},
}

// statusOf is the HTTP status of a refusal.
func statusOf(why *refusals.Refused) int { return wire.HTTPStatus(why.Kind()) }
