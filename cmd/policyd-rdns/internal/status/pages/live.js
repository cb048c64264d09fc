// Keeps the page as of now, and shows times as they are where it is read. It replaces
// whole sections, and none in which somebody types, reads a selection, or has the focus;
// what was opened stays open. Without it the page is as good, as of when it was asked for.
"use strict";
(() => {
  const every = 30000;
  const two = n => String(n).padStart(2, "0");
  const clock = at => two(at.getHours()) + ":" + two(at.getMinutes());
  const day = at => at.getFullYear() + "-" + two(at.getMonth() + 1) + "-" + two(at.getDate());

  // Each time is told in the form that it has, in the reader's own zone.
  const localize = root => {
    for (const t of root.querySelectorAll("time[datetime]")) {
      const at = new Date(t.dateTime);
      if (isNaN(at)) continue;
      const text = t.textContent.trim();
      const seconds = clock(at) + ":" + two(at.getSeconds());
      if (/^\d\d:\d\d$/.test(text)) t.textContent = clock(at);
      else if (/^\d\d:\d\d:\d\d\b/.test(text)) t.textContent = day(at) === day(new Date()) ? seconds : day(at) + " " + clock(at);
      else t.textContent = day(at) + " " + seconds;
      t.title = at.toString();
    }
    for (const bar of root.querySelectorAll("g[data-from]")) {
      const [, counts] = bar.firstChild.textContent.split(/: (.*)/);
      bar.firstChild.textContent = clock(new Date(bar.dataset.from)) + " to " + clock(new Date(bar.dataset.to)) + ": " + counts;
    }
  };

  const busy = part => {
    const selection = getSelection();
    if (part.contains(document.activeElement) && document.activeElement !== document.body) return true;
    if (selection && !selection.isCollapsed && selection.containsNode(part, true)) return true;
    return [...part.querySelectorAll("input[type=search]")].some(typed => typed.value !== typed.defaultValue)
      || [...part.querySelectorAll("option")].some(o => o.selected !== o.defaultSelected);
  };

  const key = part => part.getAttribute("aria-labelledby") || part.className;

  const renew = fresh => {
    const now = new Map([...document.querySelectorAll("main > section")].map(part => [key(part), part]));
    const then = [...fresh.querySelectorAll("main > section")];
    for (const [name, part] of now) if (!busy(part) && !then.some(made => key(made) === name)) part.remove();
    let before = null;
    for (const made of then) {
      const part = now.get(key(made)), last = before;
      before = part || made;
      if (!part) {
        if (last) last.after(made);
        else document.querySelector("main").prepend(made);
        continue;
      }
      if (busy(part) || part.outerHTML === made.outerHTML) continue;
      before = made;
      const opened = [...part.querySelectorAll("details")].map(d => d.open);
      const scrolled = [...part.querySelectorAll(".scroll")].map(s => s.scrollTop);
      part.replaceWith(made);
      made.querySelectorAll("details").forEach((d, i) => { d.open = !!opened[i]; });
      made.querySelectorAll(".scroll").forEach((s, i) => { s.scrollTop = scrolled[i] || 0; });
    }
    const at = document.querySelector(".as-of"), made = fresh.querySelector(".as-of");
    if (at && made) at.replaceWith(made);
    document.title = fresh.title;
  };

  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      localize(fresh);
      renew(fresh);
    } catch {
      // The daemon restarts, or is gone: the page stays as of when it said so.
    }
  };

  localize(document);
  if (location.pathname === "/") {
    setInterval(refresh, every);
    document.addEventListener("visibilitychange", refresh);
    document.addEventListener("policyd-rdns-refresh", refresh);
  }
})();
