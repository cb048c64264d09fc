for (const time of document.querySelectorAll("time")) {
	const at = new Date(time.dateTime);
	if (isNaN(at) || at.getTimezoneOffset() === 0) continue; // what stands there is the reader's own
	const local = document.createElement("span");
	local.className = "local";
	local.textContent = " (" + at.toLocaleString(document.documentElement.lang, {
		year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
		...(/:\d\d:/.test(time.textContent) && {second: "2-digit"}),
	}) + ")";
	time.after(local);
}
