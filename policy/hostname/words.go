package hostname

import "bytes"

// class is what a run of letters says about a name: a set of the bits below.
type class uint16

const (
	// line: a kind of access line, or that addresses change on it.
	line class = 1 << iota
	// access: a subscriber, or what else operators call their addresses.
	access
	// weak: means something beside the address or a long serial only.
	weak
	// rented: machines that are rented out under a number.
	rented
	// alone: enough as the whole of the leftmost label, without a number,
	// filler beside it or not.
	alone
	filler
	// blank: says that nobody named the address; unnamed does in the company
	// of no words but such.
	blank
	unnamed
	// negation and noun say so together: "no" "rdns", "not" "set".
	negation
	noun
	// hosted and by do: "hosted" "by", and then the hoster.
	hosted
	by
	// counter: equipment that lines end on, and whose ports are counted.
	counter
	// mail: the name has to do with mail.
	mail
	// mailFirst: the same, but in the leftmost label only.
	mailFirst
)

// rank orders the classes that speak for a generic name; 0 for the others.
func (c class) rank() int {
	switch {
	case c&line != 0:
		return 3
	case c&access != 0:
		return 2
	case c&(weak|rented) != 0:
		return 1
	}
	return 0
}

// classOf is the class of a run of letters in lower case, 0 if it is in no
// list. A word is looked up whole: "dyn" is not seen in "hyperdyne".
func classOf(word []byte) class {
	if len(word) == 1 {
		return classOfLetter(word[0])
	}
	if c := classOfLine(word); c != 0 {
		return c
	}
	if c := classOfSubscriber(word); c != 0 {
		return c
	}
	if c := classOfMachine(word); c != 0 {
		return c
	}
	if c := classOfBlank(word); c != 0 {
		return c
	}
	if c := classOfMail(word); c != 0 {
		return c
	}
	return classOfAffix(word)
}

// classOfLetter: the letters that lines and rented machines are counted under:
// client, dial, host, line, port, user and the like. Missing are those that
// mail services count their senders under.
func classOfLetter(c byte) class {
	switch c {
	case 'c', 'd', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'n', 'p', 'u', 'v', 'w', 'x', 'y', 'z':
		return weak
	}
	return 0
}

// classOfLine is the list of the kinds of lines.
func classOfLine(word []byte) class {
	switch string(word) {
	case "aftr", "async", "dial", "dialer", "dialin", "dialip", "dialpool", "dip", "dipool", "dup", "isdn", "modem", "modems", "slip",
		"ppp", "pppd", "pptp", "ipoe", "ipcp", "vpdn", "bootp",
		"cable", "cablemodem", "catv", "cmodem", "cmts", "docsis", "hfc", "modemcable", "cabo", "kabel",
		"epon", "etth", "fttb", "fttc", "ftto", "fttp", "fttx", "gepon", "gpon", "xpon", "flets", "ipbf", "ipbfn", "ipngn",
		"apn", "bband", "bbcust", "cdma", "evdo", "fios", "fwa", "hsdpa", "hsi", "hsia", "hspa", "lte", "umts", "vsat", "wimax", "wisp", "wll",
		"bng", "bras", "cgn", "cgnat", "cpes", "cvx", "eduroam", "resnet", "tnt", "ull",
		"dyn", "dyna", "dynamicip", "dynamicpool", "dynip", "dynpool", "ipdyn", "nonstatic",
		"bandaancha", "bandalarga", "breitband", "fibra", "glasfaser", "glasvezel", "sirokopasovy", "szelessav", "szelessavu",
		"dinamic", "dinamica", "dinamicka", "dinamicki", "dinamiskais", "dinaminis", "dynamicka", "dynamicke", "dynamiczna", "dynamiskt", "dinamicas", "dinamichen", "dinamico", "dinamicos", "dinamiczny", "dinamik", "dinamis",
		"dynaaminen", "dynamicky", "dynamiczne", "dynamiczny", "dynamique", "dynamisch", "dynamisk", "zmienne", "zmienny",
		"akademik", "kolej", "koleje", "studentenwohnheim", "wohnheim":
		return line
	case "dynamic", "broadband", "bredband", "bredbaand", "laajakaista", "cpe", "gprs":
		return line | alone
	}
	return 0
}

// classOfSubscriber is the list of the words for subscribers, and of those that
// operators put into zones of addresses.
func classOfSubscriber(word []byte) class {
	switch string(word) {
	case "abo", "abon", "abonado", "abonados", "abonent", "abonne", "abonnee", "abonnement", "abonnent", "abonnenten", "abonnes",
		"abonat", "abonati", "abonentai", "abonentas", "abone", "aboneler", "elofizeto", "narocnik", "pretplatnik",
		"assinante", "assinantes", "suscriptor", "suscriptores":
		return line
	case "cliente", "clienti", "clnt", "asiakas", "asiakkaat", "klant", "klanten", "klient", "klienci", "kund", "kunde", "kunder",
		"klijent", "klijenti", "korisnik", "korisnici", "kliendid", "kullanici", "musteri", "pelanggan", "ugyfel", "zakaznik", "member", "members",
		"sub", "subs", "subscribed", "user", "users", "usr", "uporabnik", "usuario", "usuarios", "utenza", "utenze", "utente", "utenti", "utilisateur", "uzytkownik",
		"acct", "apartment", "apt", "cid", "custid", "dorm", "dorms", "flat", "room", "student", "students", "uid", "vlan", "guest", "guests", "res", "resi", "residencial", "residential", "roam", "roaming", "visitor", "visitors", "homenet",
		"cellular", "hotspot", "mobiel", "mobil", "mobile", "mobility", "mobilne", "movel", "movil", "satellite", "wireless", "wlan", "wlans",
		"bb", "cm", "hispeed", "lns", "nat", "natout", "natpool", "pon", "ras", "tunnel", "unn", "vpnx",
		"fija", "fijo", "fix", "fixe", "fixed", "fixedip", "fixip", "fixo", "ipfix", "ipfixe", "ipstatic", "fisso", "fixa", "ipestatica", "ipfija", "statip", "revdns", "revip", "userreverse":
		return access
	case "cust", "custs", "customer", "customers", "subscr", "subscriber", "subscribers", "pool", "ippool", "dedicated", "dedicado", "generic", "reserved",
		"static", "statica", "staticka", "staticke", "staticna", "statis", "statiska", "statiskt", "statico", "staticip", "staticky", "staticline", "statics", "statik", "statique", "statisch", "staattinen", "statyczny", "stacjonarny", "estatica", "estatico":
		return access | alone
	case "clientes", "klienti", "kunden", "abonents", "abonenti":
		return access | alone
	case "client":
		return access | noun
	case "clients":
		return access | noun | alone
	case "rdns", "rev", "reverse", "reversedns":
		return access | alone | noun
	case "fiber", "fibre":
		return access | hosted
	}
	return 0
}

// classOfMachine is the list of the words for rented machines and for networks.
func classOfMachine(word []byte) class {
	switch string(word) {
	case "kvm", "lvps", "lxc", "openvz", "ovz", "vds", "vm", "vmd", "vmi", "vps", "vserv", "vserver", "xen":
		return rented
	case "box", "cloud", "cloudserver", "cloudvps", "container", "ct", "ded", "dedi", "droplet", "ds", "ec", "ecs", "euve", "hosting", "hs", "hst", "hwsrv",
		"instance", "loft", "node", "ns", "ks", "ps", "rdp", "rps", "sd", "root", "rootserver", "server", "servers", "srv", "svr", "vhost", "vz":
		return rented | weak
	case "as", "arpa", "biz", "business", "colo", "corp", "corporate", "gw", "home", "hsd", "inaddr", "internet", "ipv", "isp", "lan", "lin",
		"net", "network", "networks", "pc", "priv", "private", "pub", "public", "range", "red", "rede", "reseau", "retail", "rete", "subnet", "wan":
		return weak
	case "cli", "lsn", "mob", "pat", "rez", "sta": // also abbreviations of places and firms
		return weak
	case "annex", "lac", "nas", "olt", "ont", "onu", "pm", "port", "slot", "ts", "ubr":
		return weak | counter
	case "ip":
		return rented | weak | filler
	case "addr", "address", "ipaddr", "line":
		return weak | filler
	case "ptr":
		return alone | noun // of many names beside it
	case "host":
		return weak | noun
	}
	return 0
}

// classOfBlank is the list of the words that say that a name is missing.
func classOfBlank(word []byte) class {
	switch string(word) {
	case "notassigned", "nordns", "norecord", "norev", "noreverse", "noptr", "noname", "nohostname", "nodata", "notset", "notused", "nxdomain", "unalloc", "unallocated", "unassigned", "unconfigured", "unregistered", "hostedby":
		return blank
	case "available", "blank", "dummy", "invalid", "localhost", "placeholder", "undefined", "unknown", "undef", "unnamed", "unresolved", "unset", "unspecified", "unused", "vacant":
		return unnamed | access
	case "missing", "no", "non", "not", "without":
		return negation
	case "default":
		return negation | alone | weak
	case "configured", "data", "defined", "dns", "entry", "hostname", "known", "name", "record", "registered", "use", "used", "yet":
		return noun
	case "set":
		return noun | negation
	case "allocated", "assigned", "leased", "rented":
		return noun | hosted
	case "hosted", "powered", "served":
		return hosted
	case "by", "to":
		return by
	}
	return 0
}

// classOfAffix: some words are joined to others so freely that they count at
// either end of a run of letters, or at its end: xdsl, dslpool, hsvpn.
func classOfAffix(word []byte) class {
	if bytes.HasPrefix(word, []byte("ppp")) {
		return line | alone
	}
	for _, affix := range [...]string{"dsl", "ipoe", "adsl", "vdsl", "dhcp", "pppo", "ftth", "dialup"} {
		if bytes.HasPrefix(word, []byte(affix)) || bytes.HasSuffix(word, []byte(affix)) {
			return line | alone
		}
	}
	if bytes.HasSuffix(word, []byte("vpn")) || bytes.HasSuffix(word, []byte("wifi")) {
		return access
	}
	return 0
}
