/** Light and dark by the reader's own choice; readable at 320 pixels; severities differ in word and weight, not by colour alone. */
export const style = `
:root { color-scheme: light dark; --text: #1b1f24; --soft: #57606a; --ground: #ffffff; --line: #d0d7de; --low: #57606a; --medium: #9a6700; --high: #bc4c00; --critical: #cf222e; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --soft: #9198a1; --ground: #0d1117; --line: #3d444d; --low: #9198a1; --medium: #d29922; --high: #f0883e; --critical: #ff7b72; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem; max-width: 70rem; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; }
.note { color: var(--soft); }
dl { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: 1.5rem 0; }
dl div { display: flex; flex-direction: column-reverse; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.4rem; font-variant-numeric: tabular-nums; }
ol { list-style: none; padding: 0; margin: 0; }
li { border-top: 1px solid var(--line); padding: .75rem 0; }
.title { font-weight: 600; overflow-wrap: anywhere; }
.facts { color: var(--soft); font-size: .85rem; overflow-wrap: anywhere; }
.low { color: var(--low); } .medium { color: var(--medium); } .high { color: var(--high); } .critical { color: var(--critical); }
.severity { font-weight: 600; text-transform: uppercase; letter-spacing: .04em; }
a { color: inherit; }
`;
