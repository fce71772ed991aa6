package web

import (
	"strconv"

	"golang.org/x/text/language"
)

// words are the page's texts in one language.
type words struct {
	Title, Other, Console                           string // Other: the other language, in itself
	Agrees, AgreesSays                              string
	Drill, DrillSays                                string
	Alone, AloneSays                                string // {since} is a time
	Quarantined, QuarantinedSays                    string
	NotReady, NotReadySays                          string
	Silent, SilentSays                              string // {missing} is a number of a number
	ThisNode, Answers, NoAnswer, NeverSeen          string
	Nodes, InForce, Devices, Waiting, Policy, Never string
	Disk, Clock, Warnings                           string
	Levels, Clocks                                  map[string]string // of wire.Disk and wire.Clock
}

var (
	tags    = []language.Tag{language.English, language.TraditionalChinese}
	matcher = language.NewMatcher(tags)
	spoken  = []words{english, chinese}
)

var english = words{
	Title: "Almenara", Other: "中文", Console: "Console",
	Agrees: "In agreement", AgreesSays: "This node agrees with the majority of its district. Everything works.",
	Drill: "DRILL COPY", DrillSays: "This is a copy of the district for a drill, restored from a backup. The district does not hear it; whatever is sent here warns nobody there.",
	Alone: "Alone",
	AloneSays: "Since {since} this node reaches no majority of its district. It warns the devices that are connected to it. " +
		"Central alerts, licensed scenarios, cancels, all-clears and corrections work. Changes of audiences, people and nodes wait for the district.",
	Quarantined: "Quarantined",
	QuarantinedSays: "This node takes no part in its district's agreement any more. It still warns the devices that are connected to it. " +
		"Let it come back under a new id: almenara rejoin.",
	NotReady: "Not ready", NotReadySays: "This node cannot do all of its work.",
	Silent: "A node does not answer",
	SilentSays: "This node agrees with the majority of its district, but {missing} of its nodes do not answer it. Everything works; " +
		"one more loss may leave the district without a majority.",
	ThisNode: "this node", Answers: "answers", NoAnswer: "does not answer", NeverSeen: "admitted, never seen",
	Nodes: "Nodes that answer", InForce: "Alerts in force", Devices: "Devices connected", Waiting: "Facts not agreed yet",
	Policy: "Age of the policy", Never: "never received", Disk: "Disk", Clock: "Clock", Warnings: "Warnings (almenara status)",
	Levels: map[string]string{"ample": "ample", "low": "low", "tight": "tight", "broadcast-only": "full: only warnings"},
	Clocks: map[string]string{"own": "its own", "district": "the district's: its own is wrong", "held": "held: its own was set"},
}

var chinese = words{
	Title: "Almenara", Other: "English", Console: "控制台",
	Agrees: "與區內一致", AgreesSays: "本節點與區內多數節點保持一致，一切功能正常。",
	Drill: "演習副本", DrillSays: "這是以備份還原、供演習之用的區域副本（DRILL COPY）。區內不會收到其任何訊息；在此發出的警報不會通知區內任何人。",
	Alone: "獨立運作",
	AloneSays: "自 {since} 起，本節點無法連接區內多數節點。已連接本節點的裝置仍會收到警報。" +
		"中央警報、獲授權的預設警報、取消、解除及更正均可使用。受眾、人員及節點的更改須待恢復連接。",
	Quarantined: "已隔離",
	QuarantinedSays: "本節點不再參與區內協議，但仍會向已連接的裝置發出警報。" +
		"請以新編號重新加入：almenara rejoin。",
	NotReady: "未就緒", NotReadySays: "本節點未能執行全部工作。",
	Silent:     "有節點沒有回應",
	SilentSays: "本節點與區內多數節點保持一致，但區內 {missing} 個節點沒有回應。一切功能正常；如再有節點失聯，區內可能失去多數。",
	ThisNode:   "本節點", Answers: "有回應", NoAnswer: "沒有回應", NeverSeen: "已獲接納，從未出現",
	Nodes: "有回應的節點", InForce: "生效警報", Devices: "已連線裝置", Waiting: "尚待協議的紀錄",
	Policy: "授權資料時效", Never: "從未收到", Disk: "磁碟", Clock: "時鐘", Warnings: "注意事項（almenara status）",
	Levels: map[string]string{"ample": "充足", "low": "偏低", "tight": "緊張", "broadcast-only": "已滿：只發警報"},
	Clocks: map[string]string{"own": "本機", "district": "採用區內時間：本機時鐘有誤", "held": "維持原時：本機時鐘曾被更改"},
}

func number(n int) string { return strconv.Itoa(n) }

func count(n, of int) string { return number(n) + " / " + number(of) }
