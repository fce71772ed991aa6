package why

// Reasons about passkeys.
const (
	PasskeyName   Reason = "passkey-name"  // the most characters
	PasskeysMany  Reason = "passkeys-many" // how many, the most
	PasskeyGone   Reason = "passkey-gone"
	PasskeyWrong  Reason = "passkey-wrong"
	PasskeyCopied Reason = "passkey-copied" // its name
)
