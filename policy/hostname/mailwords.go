package hostname

import "bytes"

// classOfMail is the list of the words of mail hosts and of mail services.
func classOfMail(word []byte) class {
	switch string(word) {
	case "mx", "mta", "msa", "mda", "mua", "mgw", "mout", "imap", "imaps", "lmtp", "esmtp", "esp", "omr", "imr", "mr", "mf",
		"out", "outb", "outbound", "outgoing", "egress", "relay", "relays", "smarthost", "smarthosts",
		"send", "sender", "senders", "sending", "deliver", "delivery", "dispatch", "bounce", "bouncer", "bounces", "deferred", "fallback", "bulk", "fbl", "dkim",
		"exch", "exchange", "exim", "postfix", "qmail", "zimbra", "domino", "lotus", "owa", "groupwise", "ironport", "proofpoint",
		"antispam", "spam", "spamfilter", "nospam", "antivirus", "virus", "av", "esa", "ess", "eps", "seg", "sesg", "egw", "filter", "scan", "scanner",
		"list", "lists", "listserv", "listserver", "majordomo", "news", "newsletter", "newsletters", "notify", "notification", "notifications", "alert", "alerts", "noreply", "postmaster",
		"campaign", "campaigns", "marketing", "mktg", "mkt", "emkt", "promo", "transactional", "inbox", "message", "messages", "messaging", "msg", "msgs",
		// In other languages.
		"post", "posta", "postal", "postamt", "postausgang", "postbox", "poste", "posteingang", "posti", "postin", "postout", "posty", "pochta", "poczta", "poshta", "posel",
		"epost", "eposta", "eposti", "sahkoposti", "meil", "mejl", "surat", "surel", "levelezes", "pisma", "poruka",
		"correo", "correos", "correio", "correios", "correu", "courriel", "courriels", "courrier", "messagerie", "messaggi", "berichten", "nachrichten",
		"ausgang", "versand", "odchozi", "relais", "saida", "salida", "salidas", "sortant", "sortie", "uscita", "utgaende", "wysylka", "envio", "envios", "invio", "verzend",
		"boletim", "boletin", "bulten", "nieuwsbrief", "nyhetsbrev", "rassylka", "rozsylka", "rundbrief", "rundschreiben", "utskick", "verteiler", "hirlevel", "infolettre":
		return mail
	case "edm", "pop", "pops", "mo", "inbound", "incoming":
		return mailFirst
	}
	if hasMailAffix(word) {
		return mail
	}
	return 0
}

// hasMailAffix: mail and smtp also count anywhere in a word, mta and out at either end
// of it and mx at its start, as they are joined freely: plsmtpa, webmail, pmta, mxout.
func hasMailAffix(word []byte) bool {
	switch {
	case bytes.HasPrefix(word, []byte("mx")):
		return true
	case len(word) < 4:
		return false
	case bytes.HasPrefix(word, []byte("mta")), bytes.HasSuffix(word, []byte("mta")):
		return true
	}
	if bytes.HasSuffix(word, []byte("out")) {
		return !englishOut(word)
	}
	return bytes.Contains(word, []byte("mail")) || bytes.Contains(word, []byte("smtp"))
}

// englishOut reports whether a word that ends in "out" is one of English, and says nothing
// of mail that goes out.
func englishOut(word []byte) bool {
	switch string(word) {
	case "about", "blackout", "burnout", "checkout", "cutout", "dropout", "fallout", "handout", "hideout", "hangout", "knockout",
		"layout", "lockout", "logout", "lookout", "payout", "printout", "readout", "rollout", "scout", "sellout", "shout", "spout",
		"sprout", "standout", "stout", "takeout", "throughout", "timeout", "trout", "turnout", "walkout", "washout", "without", "workout":
		return true
	}
	return false
}
