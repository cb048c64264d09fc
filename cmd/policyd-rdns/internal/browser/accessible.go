package browser

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// axe is where axe.min.js is (npm package axe-core), for those who have it.
const axe = "POLICYD_RDNS_AXE"

// Inaccessible lists what keeps somebody from using the page: fields without a label,
// tables without headings, links without text, headings out of order, no landmarks, text
// that is hardly seen (WCAG 2.2, 1.4.3), targets that are hardly hit (2.5.8), a page that is
// wider than the screen (1.4.10).
//
// With POLICYD_RDNS_AXE=/path/of/axe.min.js it lists what axe-core finds, too.
func (p *Page) Inaccessible(t testing.TB) []string {
	t.Helper()
	wrong := Eval[[]string](t, p, inaccessible)
	if path := os.Getenv(axe); path != "" {
		wrong = append(wrong, p.violations(t, path)...)
	}
	return wrong
}

// HasAxe reports whether axe-core looks, too: tests then look at more.
func HasAxe() bool { return os.Getenv(axe) != "" }

// violations are what axe-core finds.
func (p *Page) violations(t testing.TB, path string) []string {
	t.Helper()
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const run = `axe.run().then(found => found.violations.flatMap(v => v.nodes.map(n => "axe: " + v.id + ": " + n.html.slice(0, 120))))`
	expression := "(typeof axe == 'undefined' ? new Promise(done => { " + string(script) + "; done() }) : Promise.resolve()).then(() => " + run + ")"
	all, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return all
}

const inaccessible = `(() => {
	const wrong = [];
	const say = (what, e) => wrong.push(what + ": " + (e.outerHTML || "").slice(0, 120));
	for (const e of document.querySelectorAll("input:not([type=hidden]), select")) if (!e.labels.length) say("no label", e);
	for (const e of document.querySelectorAll("table")) if (!e.querySelector("thead th[scope=col]")) say("no headings", e);
	for (const e of document.querySelectorAll("a, button")) if (!e.textContent.trim()) say("no text", e);
	for (const landmark of ["header", "main", "footer"]) if (document.querySelectorAll("body > " + landmark).length != 1) wrong.push("no " + landmark);
	for (const e of document.querySelectorAll("section")) if (!document.getElementById(e.getAttribute("aria-labelledby"))) say("no name", e);
	if (document.querySelectorAll("h1").length != 1 || !document.documentElement.lang || !document.title) wrong.push("no heading, language or title");
	let level = 0;
	for (const h of document.querySelectorAll("h1, h2, h3, h4")) {
		if (h.tagName[1] > level + 1) say("a heading of a heading that is not there", h);
		level = +h.tagName[1];
	}
	for (const e of document.querySelectorAll("button, input, select, nav a")) {
		const box = e.getBoundingClientRect();
		if (e.checkVisibility() && !e.matches(".skip") && (box.width < 24 || box.height < 24)) say("small", e);
	}
	const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
	if (new Set(ids).size != ids.length) wrong.push("an ID twice");
	if (document.documentElement.scrollWidth > innerWidth) wrong.push("wider than the screen: " + document.documentElement.scrollWidth);
	const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
	const paint = (...colours) => {
		canvas.clearRect(0, 0, 1, 1);
		for (const c of colours) { canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); }
		return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
	};
	const light = rgb => {
		const [r, g, b] = rgb.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	for (const e of document.querySelectorAll("body *")) {
		const text = [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim());
		if (!text || e.closest("svg, .visually-hidden, .skip, option") || !e.checkVisibility()) continue;
		const below = [];
		for (let at = e; at; at = at.parentElement) below.unshift(getComputedStyle(at).backgroundColor);
		const a = light(paint(...below)), b = light(paint(...below, getComputedStyle(e).color));
		if ((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5) say("contrast", e);
	}
	return wrong;
})()`
