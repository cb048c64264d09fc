for (const time of document.querySelectorAll("time")) {
	const at = new Date(time.dateTime);
	if (isNaN(at)) continue;
	const local = document.createElement("span");
	local.className = "local";
	local.textContent = " (" + at.toLocaleString(document.documentElement.lang, {dateStyle: "medium", timeStyle: "long"}) + ")";
	time.after(local);
}
