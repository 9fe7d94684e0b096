"""How the report looks, on a screen and on paper. System fonts only: the page requests nothing."""

CSS = """
:root { --ink: #1c2430; --soft: #5b6675; --line: #dfe4ea; --paper: #ffffff; --wash: #f5f7f9;
  --pass: #1b6b3a; --fail: #a4161a; --inconclusive: #8a5a00; --none: #5b6675; --accent: #1f4e79; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--wash); color: var(--ink);
  font: 16px/1.5 "Source Sans 3", "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 2rem 4rem; background: var(--paper);
  border-inline: 1px solid var(--line); min-height: 100vh; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 2.75rem 0 .75rem; padding-top: 1rem;
  border-top: 2px solid var(--ink); }
h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; color: var(--accent); }
p { margin: .4rem 0 .8rem; max-width: 44rem; }
.sub, .note { color: var(--soft); }
.note { font-size: .9rem; font-weight: 400; }
.meta { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .6rem 1.5rem;
  margin: 1.25rem 0; }
.meta div { border-left: 3px solid var(--line); padding-left: .7rem; overflow-wrap: anywhere; }
.meta dt { font-size: .8rem; color: var(--soft); }
.meta dd { margin: 0; font-weight: 600; }
.counts { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0 .5rem; padding: 0;
  list-style: none; }
.counts li { flex: 1 1 8rem; border: 1px solid var(--line); border-top: 4px solid currentColor;
  padding: .5rem .9rem .6rem; }
.counts b { display: block; font-size: 1.9rem; line-height: 1.2; }
.counts span { font-size: .95rem; }
.pass { color: var(--pass); } .fail { color: var(--fail); }
.inconclusive { color: var(--inconclusive); } .not-applicable { color: var(--none); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid var(--line); }
thead th { border-bottom: 1.5px solid var(--ink); font-weight: 600; white-space: nowrap; }
tbody th[scope=rowgroup] { padding-top: 1rem; color: var(--accent); font-weight: 600; }
.number { text-align: right; white-space: nowrap; }
.outcome { white-space: nowrap; font-weight: 600; }
.symbol { display: inline-block; width: 1.3em; font-weight: 700; }
.reason { color: var(--soft); }
.check { padding-left: 1.2rem; } .check li { margin: .2rem 0; max-width: 52rem; }
.alarm { border-left: 4px solid var(--fail); background: #fdf1f1; padding: .7rem 1rem; margin: 1rem 0; }
.figure { margin: 1rem 0; overflow-x: auto; }
code, .mono { font-family: "Source Code Pro", "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: .85em;  overflow-wrap: anywhere; }
details { margin: 1rem 0; border: 1px solid var(--line); padding: .6rem 1rem; }
summary { cursor: pointer; font-weight: 600; }
td.key { width: 30%; color: var(--soft); }
footer { margin-top: 3rem; font-size: .85rem; color: var(--soft); }
@media (max-width: 40rem) { main { padding: 1.25rem 1rem; border: 0; } }
@media print {
  @page { margin: 16mm; }
  body { background: none; font-size: 10.5pt; }
  main { border: 0; padding: 0; max-width: none; }
  h2, h3 { break-after: avoid; }
  tr, li, .figure, .counts { break-inside: avoid; }
  .wide, .figure { overflow: visible; }
  thead { display: table-header-group; }
}
"""
