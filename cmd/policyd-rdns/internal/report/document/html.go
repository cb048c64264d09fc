package document

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

// WriteHTML writes the document as one page that needs nothing else: no script,
// style, font or picture from elsewhere, which its content security policy
// forbids. It can be read, and printed, without its script too. Its error is that
// of out.
func (d *Document) WriteHTML(out io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"num":     func(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) },
		"percent": func(f float64) string { return strconv.FormatFloat(100*f, 'f', 2, 64) },
		"points":  points, "draw": draw, "spark": spark,
	}).Parse(pageHTML)
	if err != nil {
		return err // a mistake of ours
	}
	return t.Execute(out, map[string]any{
		"Policy": fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'", hashOf(pageCSS), hashOf(pageJS)),
		"CSS":    template.CSS(pageCSS),
		"JS":     template.JS(pageJS),
		"Doc":    d,
	})
}

// hashOf is how a content security policy names an inline script or style (CSP
// Level 3 section 2.3.1).
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// points are points with their sign.
func points(n int) string {
	if n < 0 {
		return "\u2212" + strconv.Itoa(-n)
	}
	return "+" + strconv.Itoa(n)
}
